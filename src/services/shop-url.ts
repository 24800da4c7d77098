/** The storefront: where feeds and mails lead. */
export const shopUrl = "https://ford-parts.com.ru";
