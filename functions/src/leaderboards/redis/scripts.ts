import { script } from "../../platform/redis.ts";

/**
 * What Redis does in one step. KEYS are always a season's state, players and ranked, in this order; those of scopes follow from the last, and
 * lie on the same node. Times are milliseconds by the clock of whoever calls. What is kept in `state`: `ready` or `building` with the generation, `beat` (when was built last), `expires`,
 * and how many entries the other keys have: `p` of players, `z{suffix}` of ranked ones. Texts are not compared with `<` in Lua, which goes by
 * the server's locale.
 */

/** Not here at all, and being built: what the scripts answer instead of what was asked for. */
export const ABSENT = -1;
export const BUILDING = -2;

/**
 * A season is answered from here only if it was built to the end and nothing of it was lost: Redis may have dropped a key for want of memory.
 * `missing` gives what to answer if so, and otherwise nothing and how many are ranked. `rows` gives players, what is known of each, and how many
 * they are: two texts of a line each instead of two hundred, which are dear to read.
 */
const CHECK = `
local state, players, ranked = KEYS[1], KEYS[2], KEYS[3]
local function missing(suffix)
  local known = redis.call('HMGET', state, 'ready', 'building', 'beat', 'p', 'z' .. suffix)
  if not known[1] then
    if known[2] then return {${BUILDING}, known[3]} end
    return {${ABSENT}}
  end
  local count = redis.call('ZCARD', ranked .. suffix)
  if redis.call('HLEN', players) == tonumber(known[4] or 0) and count == tonumber(known[5] or 0) then return nil, count end
  redis.call('HDEL', state, 'ready')
  return {${ABSENT}}
end
local function rows(suffix, from, to, width)
  local ids = redis.call('ZRANGE', ranked .. suffix, from, to)
  local count = #ids
  if count == 0 then return '', '', 0 end
  for i = 1, count do ids[i] = string.sub(ids[i], width + 1) end
  local packed = redis.call('HMGET', players, unpack(ids))
  for i = 1, count do packed[i] = packed[i] or '' end
  return table.concat(ids, '\\n'), table.concat(packed, '\\n'), count
end
`;

/** Reads where a packed player stands: member, rank score, and the suffixes of the sets; nothing of who is not ranked. */
const PLACED = `
local function placed(packed, id)
  if not packed then return nil end
  local kind, place, score, country, group = string.match(packed, '^..........(.)([^|]*)|([^|]*)|([^|]*)|([^|]*)|')
  if kind ~= 'r' then return nil end
  return {
    member = place .. id, score = score, all = '',
    country = country ~= '' and (':c:' .. country) or nil,
    group = group ~= '' and (':g:' .. group) or nil,
  }
end
`;

/**
 * Takes players in, each only if it is newer than what is known. ARGV: the generation that is built, or nothing for what has just happened;
 * `force` to take in what is of the same version, too; now in milliseconds; then player and packed, in turns, no player twice. How many were
 * taken in, or ABSENT.
 */
export const UPDATE = script(`${PLACED}
local state, players, ranked = KEYS[1], KEYS[2], KEYS[3]
local generation, force, now = ARGV[1], ARGV[2], ARGV[3]
local known = redis.call('HMGET', state, 'ready', 'building', 'expires')
if generation ~= '' then
  if known[2] ~= generation then return ${ABSENT} end
  redis.call('HSET', state, 'beat', now)
elseif not known[1] and not known[2] then
  return ${ABSENT}
end
local function tally(field, key, by)
  local left = redis.call('HINCRBY', state, field, by)
  if left == 0 then redis.call('HDEL', state, field) end
  if left == by and by > 0 and known[3] then redis.call('PEXPIRE', key, known[3] - now) end
end
local function move(from, before, to, after)
  local gained, lost = 0, 0
  if to then gained = redis.call('ZADD', ranked .. to, after.score, after.member) end
  if from and (from ~= to or before.member ~= after.member) then lost = redis.call('ZREM', ranked .. from, before.member) end
  if from == to then
    if to and gained ~= lost then tally('z' .. to, ranked .. to, gained - lost) end
    return
  end
  if gained > 0 then tally('z' .. to, ranked .. to, gained) end
  if lost > 0 then tally('z' .. from, ranked .. from, -lost) end
end
local ids = {}
for i = 4, #ARGV, 2 do ids[#ids + 1] = ARGV[i] end
if #ids == 0 then return 0 end
local found = redis.call('HMGET', players, unpack(ids))
local fresh, added = {}, 0
for i, id in ipairs(ids) do
  local before, after = found[i], ARGV[2 * i + 3]
  local one, other = before and tonumber(string.sub(before, 1, 10), 36) or -1, tonumber(string.sub(after, 1, 10), 36)
  if one < other or (force == 'force' and one == other) then
    local was, is = placed(before, id) or {}, placed(after, id) or {}
    move(was.all, was, is.all, is)
    if was.country or is.country then move(was.country, was, is.country, is) end
    if was.group or is.group then move(was.group, was, is.group, is) end
    fresh[#fresh + 1] = id
    fresh[#fresh + 1] = after
    if not before then added = added + 1 end
  end
end
if #fresh == 0 then return 0 end
redis.call('HSET', players, unpack(fresh))
if added > 0 then tally('p', players, added) end
return #fresh / 2
`);

/**
 * A page: of how many, the rank (from 0) of the first, and rows. ARGV: suffix, place width, how many, and either the rank (from 0) to begin with, or -1, the rank
 * score and the member to begin after.
 */
export const PAGE = script(`${CHECK}
local suffix, width, limit, from = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local gone, of = missing(suffix)
if gone then return gone end
local function isAfter(one, other)
  for i = 1, math.min(#one, #other) do
    local a, b = string.byte(one, i), string.byte(other, i)
    if a ~= b then return a > b end
  end
  return #one > #other
end
if from < 0 then
  local score, member = ARGV[5], ARGV[6]
  local key = ranked .. suffix
  from = redis.call('ZCOUNT', key, '-inf', '(' .. score)
  local to = from + redis.call('ZCOUNT', key, score, score)
  while from < to do
    local middle = math.floor((from + to) / 2)
    if isAfter(redis.call('ZRANGE', key, middle, middle)[1], member) then to = middle else from = middle + 1 end
  end
end
return {of, from, rows(suffix, from, from + limit - 1, width)}
`);

/**
 * Players and those around each. ARGV: suffix, place width, how many on each side, then players. Answers of how many, and for each what is known
 * of the player, the rank (from 0; -1: none), the rank of the first neighbour, and rows: the neighbours with the player among them.
 */
export const AROUND = script(`${CHECK}
local suffix, width, reach = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local gone, of = missing(suffix)
if gone then return gone end
local key, RANKED, answer = ranked .. suffix, string.byte('r'), {of}
for i = 4, #ARGV do
  local id = ARGV[i]
  local packed = redis.call('HGET', players, id) or ''
  local rank = string.byte(packed, 11) == RANKED and redis.call('ZRANK', key, string.sub(packed, 12, 11 + width) .. id) or -1
  local from = math.max(0, rank - reach)
  local ids, texts, count = '', '', 0
  if rank >= 0 and reach == 0 then ids, texts, count = id, packed, 1
  elseif rank >= 0 then ids, texts, count = rows(suffix, from, rank + reach, width) end
  local last = #answer
  answer[last + 1], answer[last + 2], answer[last + 3] = packed, rank, from
  answer[last + 4], answer[last + 5], answer[last + 6] = ids, texts, count
end
return answer
`);

/** Ranks of many. ARGV: suffix, then players. Answers, for each, its rank (from 0; -1: none) and what is known of it. */
export const RANKS = script(`${CHECK}${PLACED}
local suffix = ARGV[1]
local gone, of = missing(suffix)
if gone then return gone end
local answer = {of}
for i = 2, #ARGV do
  local packed = redis.call('HGET', players, ARGV[i])
  local is = placed(packed, ARGV[i])
  answer[#answer + 1] = is and redis.call('ZRANK', ranked .. suffix, is.member) or -1
  answer[#answer + 1] = packed or ''
end
return answer
`);

/**
 * Begins to build a season, or goes on with it. ARGV: generation, now and since when another must have been silent (milliseconds), when all of it
 * expires (or nothing), `again` to build what is ready, too. Answers `ready`, `other` (somebody else is at it), `clearing` (what there was is
 * being taken away, ask again) or `building`.
 */
export const BEGIN = script(`
local state, players, ranked = KEYS[1], KEYS[2], KEYS[3]
local generation, now, silent, expires, again = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
local known = redis.call('HMGET', state, 'ready', 'building', 'clearing', 'beat')
if known[1] and (again ~= 'again' or known[1] == generation) then return 'ready' end
if known[2] == generation then
  redis.call('HSET', state, 'beat', now)
  return 'building'
end
local holder = known[2] or known[3]
if holder and holder ~= generation and tonumber(known[4] or 0) > silent then return 'other' end
redis.call('HDEL', state, 'ready', 'building', 'p', 'expires')
redis.call('HSET', state, 'clearing', generation, 'beat', now)
redis.call('UNLINK', players)
local kept = 2
local fields = redis.call('HRANDFIELD', state, 1000)
for _, field in ipairs(fields) do
  if string.sub(field, 1, 1) == 'z' then
    redis.call('UNLINK', ranked .. string.sub(field, 2))
    redis.call('HDEL', state, field)
  end
end
redis.call('UNLINK', ranked)
if redis.call('HLEN', state) > kept then return 'clearing' end
redis.call('HDEL', state, 'clearing')
redis.call('HSET', state, 'building', generation)
if expires ~= '' then
  redis.call('HSET', state, 'expires', expires)
  redis.call('PEXPIRE', state, expires - now)
end
return 'building'
`);

/** All is built. ARGV: generation. 1, or 0 if what was built is not there any more. */
export const FINISH = script(`
local known = redis.call('HMGET', KEYS[1], 'ready', 'building')
if known[1] == ARGV[1] then return 1 end
if known[2] ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], 'building', 'beat')
redis.call('HSET', KEYS[1], 'ready', ARGV[1])
return 1
`);

/** Opens a season that has not begun, in which therefore nobody is. ARGV: when it expires, and now. */
export const OPEN = script(`
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'ready', 'opened', 'expires', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[1] - ARGV[2])
return 1
`);

/** What there is of a season, for comparing. ARGV: how many players at random, then players by name. Answers of how many ranked, then player and packed. */
export const SAMPLE = script(`${CHECK}
local gone, of = missing('')
if gone then return gone end
local answer = {of}
local ids = redis.call('HRANDFIELD', players, ARGV[1])
for i = 2, #ARGV do ids[#ids + 1] = ARGV[i] end
if #ids == 0 then return answer end
for i, packed in ipairs(redis.call('HMGET', players, unpack(ids))) do
  answer[#answer + 1] = ids[i]
  answer[#answer + 1] = packed or ''
end
return answer
`);
