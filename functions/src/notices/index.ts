/** What users are told, in the app and by mail. */
export { prepareNotice } from "./notify.ts";
