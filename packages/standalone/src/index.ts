export { main } from "./main.js";
export { StartError } from "./start-error.js";
export { type StoreUrls, withStores, withStoresInUse } from "./stores.js";
