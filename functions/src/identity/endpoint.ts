import { action } from "../platform/endpoint.ts";
import {
  CreateGroup,
  Erased,
  FindRequest,
  Friends,
  FriendsRequest,
  GroupRequest,
  GroupUserRequest,
  InGroup,
  Members,
  MembersRequest,
  ProfileRequest,
  Profiles,
  ProfilesRequest,
  PublicProfile,
  Related,
  Sanctioned,
  SanctionRequest,
  UpdateRequest,
  UserRequest,
} from "./contract.ts";
import { erase } from "./erase.ts";
import { acceptFriend, askFriend, block, declineFriend, listFriends, removeFriend, unblock } from "./friends.ts";
import { createGroup, joinGroup, leaveGroup, listMembers } from "./groups.ts";
import { inviteToGroup, removeFromGroup } from "./invitations.ts";
import { findByHandle, listProfiles } from "./look-up.ts";
import { myProfile, updateProfile } from "./own.ts";
import { ban, shadowBan, unban } from "./sanction.ts";

export const api = {
  profile: action({ access: "user", input: ProfileRequest, output: PublicProfile, run: myProfile }),
  update: action({ access: "user", input: UpdateRequest, output: PublicProfile, run: updateProfile }),
  find: action({ access: "user", input: FindRequest, output: PublicProfile, run: findByHandle }),
  profiles: action({ access: "user", input: ProfilesRequest, output: Profiles, run: listProfiles }),
  friends: action({ access: "user", input: FriendsRequest, output: Friends, run: listFriends }),
  askFriend: action({ access: "user", input: UserRequest, output: Related, run: askFriend }),
  acceptFriend: action({ access: "user", input: UserRequest, output: Related, run: acceptFriend }),
  declineFriend: action({ access: "user", input: UserRequest, output: Related, run: declineFriend }),
  removeFriend: action({ access: "user", input: UserRequest, output: Related, run: removeFriend }),
  block: action({ access: "user", input: UserRequest, output: Related, run: block }),
  unblock: action({ access: "user", input: UserRequest, output: Related, run: unblock }),
  createGroup: action({ access: "user", input: CreateGroup, output: InGroup, run: createGroup }),
  joinGroup: action({ access: "user", input: GroupRequest, output: InGroup, run: joinGroup }),
  leaveGroup: action({ access: "user", input: GroupRequest, output: InGroup, run: leaveGroup }),
  inviteToGroup: action({ access: "user", input: GroupUserRequest, output: InGroup, run: inviteToGroup }),
  removeFromGroup: action({ access: "user", input: GroupUserRequest, output: InGroup, run: removeFromGroup }),
  members: action({ access: "user", input: MembersRequest, output: Members, run: listMembers }),
};

export const admin = {
  ban: action({ access: "admin", input: SanctionRequest, output: Sanctioned, run: ban }),
  shadowBan: action({ access: "admin", input: SanctionRequest, output: Sanctioned, run: shadowBan }),
  unban: action({ access: "admin", input: SanctionRequest, output: Sanctioned, run: unban }),
  erase: action({ access: "admin", input: SanctionRequest, output: Erased, run: erase }),
};
