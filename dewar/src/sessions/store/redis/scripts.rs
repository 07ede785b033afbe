use redis::Script;

/// The scripts. The server runs each of them atomically.
pub(super) struct Scripts {
    pub(super) begin: Script,
    pub(super) charge: Script,
    pub(super) end: Script,
    pub(super) end_all_of: Script,
    pub(super) find: Script,
    pub(super) find_all: Script,
    pub(super) keep: Script,
    pub(super) list_of: Script,
    pub(super) renew: Script,
    pub(super) sweep: Script,
    pub(super) touch: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        let script = |text| Script::new(&format!("{SHARED}{text}"));
        Self {
            begin: script(BEGIN),
            charge: script(CHARGE),
            end: script(END),
            end_all_of: script(END_ALL_OF),
            find: script(FIND),
            find_all: script(FIND_ALL),
            keep: script(KEEP),
            list_of: script(LIST_OF),
            renew: script(RENEW),
            sweep: script(SWEEP),
            touch: script(TOUCH),
        }
    }
}

/// Ends a session, with everything that belongs to it.
const SHARED: &str = "local p = '{dewar}:'
local function over(id, user)
  local token = redis.call('HGET', p .. 's:' .. id, 'token')
  local owner = redis.call('HGET', p .. 's:' .. id, 'user') or user
  redis.call('DEL', p .. 's:' .. id, p .. 'v:' .. id)
  redis.call('ZREM', p .. 'seen', id)
  redis.call('ZREM', p .. 'created', id)
  if owner then redis.call('ZREM', p .. 'u:' .. owner, id) end
  if not token then return 0 end
  redis.call('DEL', p .. 't:' .. token)
  return 1
end
";

const BEGIN: &str = "
local token, id, user, most, left = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[11]), ARGV[12]
if redis.call('EXISTS', p .. 't:' .. token, p .. 's:' .. id) > 0 then return -1 end
redis.call('HSET', p .. 's:' .. id, 'token', token, 'user', user, 'generation', ARGV[4], 'created', ARGV[5],
  'seen', ARGV[6], 'proved', ARGV[7], 'roles', ARGV[8], 'device', ARGV[9], 'address', ARGV[10])
redis.call('EXPIRE', p .. 's:' .. id, left)
redis.call('SET', p .. 't:' .. token, id, 'EX', left)
redis.call('ZADD', p .. 'u:' .. user, ARGV[5], id)
redis.call('EXPIRE', p .. 'u:' .. user, left)
redis.call('ZADD', p .. 'seen', ARGV[6], id)
redis.call('ZADD', p .. 'created', ARGV[5], id)
local alive, ended = {}, 0
for _, other in ipairs(redis.call('ZRANGE', p .. 'u:' .. user, 0, -1)) do
  if redis.call('EXISTS', p .. 's:' .. other) == 0 then over(other, user)
  elseif other ~= id then alive[#alive + 1] = other end
end
for place = 1, #alive - (most - 1) do ended = ended + over(alive[place], user) end
return ended
";

const FIND: &str = "
local id = redis.call('GET', p .. 't:' .. ARGV[1])
if not id then return false end
local s = redis.call('HMGET', p .. 's:' .. id, 'user', 'generation', 'created', 'seen', 'proved', 'roles')
if not s[1] then return false end
return {id, s[1], s[2], s[3], s[4], s[5], s[6]}
";

const FIND_ALL: &str = "
local all = {}
for _, token in ipairs(ARGV) do
  local id = redis.call('GET', p .. 't:' .. token)
  local s = id and redis.call('HMGET', p .. 's:' .. id, 'user', 'generation', 'created', 'seen', 'proved', 'roles')
  if s and s[1] then all[#all + 1] = {token, id, s[1], s[2], s[3], s[4], s[5], s[6]} end
end
return all
";

const TOUCH: &str = "
local id = redis.call('GET', p .. 't:' .. ARGV[1])
if not id then return end
local seen = redis.call('HGET', p .. 's:' .. id, 'seen')
if not seen or tonumber(seen) >= tonumber(ARGV[2]) then return end
redis.call('HSET', p .. 's:' .. id, 'seen', ARGV[2])
redis.call('ZADD', p .. 'seen', 'XX', ARGV[2], id)
";

const RENEW: &str = "
local id = redis.call('GET', p .. 't:' .. ARGV[1])
if not id or redis.call('EXISTS', p .. 's:' .. id) == 0 then return 0 end
if redis.call('EXISTS', p .. 't:' .. ARGV[2]) == 1 then return -1 end
redis.call('DEL', p .. 't:' .. ARGV[1])
redis.call('SET', p .. 't:' .. ARGV[2], id, 'EX', ARGV[7])
redis.call('HSET', p .. 's:' .. id, 'token', ARGV[2], 'generation', ARGV[3], 'seen', ARGV[4], 'proved', ARGV[5],
  'roles', ARGV[6])
redis.call('ZADD', p .. 'seen', 'XX', ARGV[4], id)
return 1
";

const END: &str = "
if redis.call('HGET', p .. 's:' .. ARGV[2], 'user') ~= ARGV[1] then return 0 end
return over(ARGV[2])
";

const END_ALL_OF: &str = "
local ended = 0
for _, id in ipairs(redis.call('ZRANGE', p .. 'u:' .. ARGV[1], 0, -1)) do
  if id ~= ARGV[2] then ended = ended + over(id, ARGV[1]) end
end
return ended
";

const LIST_OF: &str = "
local all = {}
for _, id in ipairs(redis.call('ZRANGE', p .. 'u:' .. ARGV[1], 0, -1)) do
  local s = redis.call('HMGET', p .. 's:' .. id, 'device', 'address', 'created', 'seen')
  if s[1] then all[#all + 1] = {id, s[1], s[2], s[3], s[4]} end
end
return all
";

const KEEP: &str = "
local id, name, before, after = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if redis.call('EXISTS', p .. 's:' .. id) == 0 then return 2 end
local kept = redis.call('HGET', p .. 'v:' .. id, name)
local version = kept and string.match(kept, '^(%d+) ') or ''
if version ~= before then return 1 end
if after == '' then
  redis.call('HDEL', p .. 'v:' .. id, name)
  return 0
end
if not kept and redis.call('HLEN', p .. 'v:' .. id) >= tonumber(ARGV[5]) then return 3 end
redis.call('HSET', p .. 'v:' .. id, name, after)
redis.call('EXPIRE', p .. 'v:' .. id, ARGV[6])
return 0
";

/// Counts the ids that it removed from the lists, so that Dewar calls it again until nothing is left.
const SWEEP: &str = "
local ended = 0
for list, bound in pairs({seen = ARGV[1], created = ARGV[2]}) do
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', p .. list, '-inf', bound, 'LIMIT', 0, ARGV[3])) do
    over(id)
    ended = ended + 1
  end
end
return ended
";

/// All numbers are below 2^53, so the server's floating-point numbers hold them exactly.
const CHARGE: &str = "
local key, now, interval, owed, room = p .. 'r:' .. ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local furthest = now + tonumber(ARGV[6])
local at = math.min(math.max(tonumber(redis.call('GET', key) or '0'), now), furthest) + owed
local admitted = 0
if at - now <= room then
  admitted = 1
  at = at + interval
end
local text = string.format('%.0f', at)
redis.call('SET', key, text, 'PX', math.floor((at - now) / 1000) + 1)
return {admitted, text}
";
