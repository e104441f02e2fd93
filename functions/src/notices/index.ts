/** What users are told, in the app and by mail. */
export { notify, prepareNotice } from "./notify.ts";
