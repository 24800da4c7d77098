/** Shown where there is no picture (contract 3.12). */
export const placeholderUrl = "https://storage.yandexcloud.net/tcf-images/default.svg";
