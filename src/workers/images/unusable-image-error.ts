import { AppError } from "../../errors.ts";

/** The picture itself is the reason, so no retry can help; the message is a sentence for its sender. */
export class UnusableImageError extends AppError {
  readonly code = "unusable_image";
}
