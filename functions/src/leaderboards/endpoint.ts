import { action } from "../platform/endpoint.ts";
import * as contract from "./contract.ts";
import { defineBoard } from "./define.ts";
import { friends } from "./friends.ts";
import * as leagues from "./leagues/contract.ts";
import { league } from "./leagues/league.ts";
import { list } from "./list.ts";
import { ranks } from "./ranks.ts";
import * as seasons from "./seasons/contract.ts";
import { disqualify, reinstate } from "./seasons/disqualify.ts";
import { history, myResults, season } from "./seasons/history.ts";
import { shownPage, shownPageAtHand } from "./shown.ts";
import { standing } from "./standing.ts";
import { submit } from "./submit.ts";
import * as tournaments from "./tournaments/contract.ts";
import { join } from "./tournaments/join.ts";
import { leave } from "./tournaments/leave.ts";
import { withdraw } from "./withdraw.ts";

export const api = {
  submit: action({ access: "user", input: contract.SubmitRequest, output: contract.Submitted, run: submit }),
  page: action({
    access: "user",
    input: contract.PageRequest,
    output: contract.Page,
    run: shownPage,
    peek: shownPageAtHand,
  }),
  standing: action({ access: "user", input: contract.StandingRequest, output: contract.Standing, run: standing }),
  ranks: action({ access: "user", input: contract.RanksRequest, output: contract.Ranks, run: ranks }),
  friends: action({
    access: "user",
    input: contract.FriendsRequest,
    output: contract.Friends,
    run: friends,
  }),
  list: action({ access: "user", input: contract.ListRequest, output: contract.BoardList, run: list }),
  history: action({ access: "user", input: seasons.HistoryRequest, output: seasons.History, run: history }),
  season: action({ access: "user", input: seasons.SeasonRequest, output: seasons.SeasonPage, run: season }),
  results: action({ access: "user", input: seasons.ResultsRequest, output: seasons.Results, run: myResults }),
  join: action({ access: "user", input: tournaments.JoinRequest, output: tournaments.Joined, run: join }),
  leave: action({ access: "user", input: tournaments.LeaveRequest, output: tournaments.Left, run: leave }),
  league: action({ access: "user", input: leagues.LeagueRequest, output: leagues.LeagueStanding, run: league }),
  withdraw: action({ access: "user", input: contract.WithdrawRequest, output: contract.Withdrawn, run: withdraw }),
};

export const admin = {
  define: action({ access: "admin", input: contract.DefineBoard, output: contract.DefinedBoard, run: defineBoard }),
  disqualify: action({
    access: "admin",
    input: seasons.DisqualifyRequest,
    output: seasons.Disqualified,
    run: disqualify,
  }),
  reinstate: action({ access: "admin", input: seasons.ReinstateRequest, output: seasons.Reinstated, run: reinstate }),
};
