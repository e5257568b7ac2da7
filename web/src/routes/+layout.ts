/** A single-page application: the API serves one document for every address. */
export const ssr = false
export const prerender = false
