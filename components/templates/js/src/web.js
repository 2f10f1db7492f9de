// Stands in for the modules `undici` and `url` of Node.js, of which Kubernetes' client needs no more than this.

export const { URL, URLSearchParams } = globalThis;
export const fetch = (...request) => globalThis.fetch(...request);
