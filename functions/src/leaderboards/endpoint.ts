import { action } from "../platform/endpoint.ts";
import {
  DefineBoard,
  DefinedBoard,
  Page,
  PageRequest,
  Standing,
  StandingRequest,
  SubmitRequest,
  Submitted,
} from "./contract.ts";
import { defineBoard } from "./define.ts";
import { page } from "./page.ts";
import { standing } from "./standing.ts";
import { submit } from "./submit.ts";

export const api = {
  submit: action({ access: "user", input: SubmitRequest, output: Submitted, run: submit }),
  page: action({ access: "user", input: PageRequest, output: Page, run: page }),
  standing: action({ access: "user", input: StandingRequest, output: Standing, run: standing }),
};

export const admin = {
  define: action({ access: "admin", input: DefineBoard, output: DefinedBoard, run: defineBoard }),
};
