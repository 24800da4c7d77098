/** The storefront, to which feeds and mails link. */
export const shopUrl = "https://ford-parts.com.ru";
