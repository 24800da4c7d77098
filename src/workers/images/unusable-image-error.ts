import { AppError } from "../../errors.ts";

/** The picture itself is the reason, so no retry can mend it; the message is a sentence for the person who sent it. */
export class UnusableImageError extends AppError {
  readonly code = "unusable_image";
}
