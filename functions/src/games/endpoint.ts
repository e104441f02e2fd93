import { action } from "../platform/endpoint.ts";
import { append } from "./append.ts";
import {
  Appended,
  AppendRequest,
  Events,
  EventsRequest,
  FinishRequest,
  List,
  ListRequest,
  Result,
  Results,
  ResultsRequest,
  Started,
  StartRequest,
} from "./contract.ts";
import { finish } from "./finish.ts";
import { readLog } from "./read-log.ts";
import { list, results } from "./results.ts";
import { start } from "./start.ts";

export const api = {
  start: action({ access: "user", input: StartRequest, output: Started, run: start }),
  append: action({ access: "user", input: AppendRequest, output: Appended, run: append }),
  finish: action({ access: "user", input: FinishRequest, output: Result, run: finish }),
  results: action({ access: "user", input: ResultsRequest, output: Results, run: results }),
};

export const admin = {
  list: action({ access: "admin", input: ListRequest, output: List, run: list }),
  events: action({ access: "admin", input: EventsRequest, output: Events, run: readLog }),
};
