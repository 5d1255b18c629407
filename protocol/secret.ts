// The secret of a page, which shows its server that a request is from that page.

/** The request header that contains the secret. */
export const SECRET_HEADER = 'X-Secret'

/** The name of the `meta` element in which the page gets the secret. */
export const SECRET_NAME = 'secret'
