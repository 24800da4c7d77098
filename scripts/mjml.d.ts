/** The part of MJML 5 that we use; its own types are those of version 4. */
declare module "mjml" {
  export default function mjml2html(
    source: string,
    options: { validationLevel: "strict" | "soft" | "skip" },
  ): Promise<{ html: string; errors: { formattedMessage: string }[] }>;
}
