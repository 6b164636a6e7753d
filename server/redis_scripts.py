"""What Redis runs for the store: each script is one transaction, all of it or nothing.

Redis does not take back what a script has written before it failed, so each checks everything
first and only then writes. A script names keys that its plan mentions: one Redis with its replicas
holds them all (there is no Redis Cluster here), and the prefix is what an ACL goes by.
"""

from __future__ import annotations

from server.redis_link import Script

# Shared with the scripts of the directory. ``v`` is ``redis_plans.Plans.visit``; ``body`` stands
# beside it, so that 100 KB need not be quoted and parsed. Everything about a visit lives equally
# long, and that is set only when it has changed.
PUT_VISIT = """
local function foreign(names)
  for name, kind in pairs(names) do
    local found = redis.call('TYPE', name).ok
    if found ~= 'none' and found ~= kind then return name end
  end
end

local function visit_foreign(v)
  return foreign({[v.key] = 'hash', [v.links] = 'hash', [v.unfinished] = 'zset', [v.dues] = 'zset',
    [v.visits] = 'zset', [v.runnings] = 'set', [v.practices_seen] = 'set'})
end

local function put_visit(v, body)
  local moved = redis.call('HGET', v.key, 'expires') ~= v.expires
  redis.call('HSET', v.key, 'body', body, 'version', v.version, 'practice', v.practice,
    'stage', v.stage, 'starts_at', v.starts_at, 'expires', v.expires)
  redis.call('ZADD', v.visits, v.starts_at, v.id)
  if v.over then
    redis.call('ZREM', v.unfinished, v.id)
  else
    redis.call('ZADD', v.unfinished, v.starts_at, v.id)
  end
  if v.due == '' then
    redis.call('ZREM', v.dues, v.id)
  else
    redis.call('ZADD', v.dues, v.due, v.id)
  end
  redis.call(v.runs and 'SADD' or 'SREM', v.runnings, v.id)
  if moved then
    redis.call('SADD', v.practices_seen, v.practice)
    redis.call('EXPIRE', v.key, v.lives)
    redis.call('EXPIRE', v.links, v.lives)
    for _, hash in ipairs(redis.call('HKEYS', v.links)) do
      redis.call('EXPIRE', v.link .. hash, v.lives)
    end
  end
  redis.call('PUBLISH', v.channel, v.notice)
end
"""

# A practice's chain. Its head is the newest entry; the hash knows it when all have expired. Where
# the two disagree, as after a restored backup, the later one is right. A writer that came too late
# again and again may ask for the next turn; to the others the head is then stale, until it wrote.
_LOG = """
local function head_of(chain)
  local kept = redis.call('HMGET', chain.head, 'cursor', 'mac')
  local cursor, mac = tonumber(kept[1] or 0), kept[2] or chain.genesis
  local last = redis.call('XREVRANGE', chain.stream, '+', '-', 'COUNT', 1)[1]
  if last then
    local number = tonumber(string.match(last[1], '^%d+'))
    if number > cursor then cursor, mac = number, last[2][4] end
  end
  return string.format('%.0f', cursor), mac
end

local function stale_heads(chains)
  local found = {'stale'}
  for _, chain in ipairs(chains) do
    local cursor, mac = head_of(chain)
    local turn = redis.call('GET', chain.turn)
    local mine = not turn or turn == chain.writer
    if not mine or cursor ~= chain.cursor or mac ~= chain.mac then
      for _, told in ipairs({chain.practice, cursor, mac}) do found[#found + 1] = told end
    end
  end
  return #found > 1 and found or nil
end

local function append(chains)
  for _, chain in ipairs(chains) do
    local last
    for _, entry in ipairs(chain.entries) do
      redis.call('XADD', chain.stream, entry[1] .. '-0', 'entry', entry[3], 'mac', entry[2])
      last = entry
    end
    redis.call('EXPIRE', chain.stream, chain.lives)
    redis.call('HSET', chain.head, 'cursor', last[1], 'mac', last[2])
    redis.call('SADD', chain.practices_seen, chain.practice)
    redis.call('DEL', chain.turn) -- last: a script that has deleted may write without memory, too
  end
end
"""

_LINKS = """
local function links_refused(links, v)
  local seen = {}
  for _, link in ipairs(links) do
    if seen[link.key] or redis.call('EXISTS', link.key) == 1 then return 'already_exists' end
    if link.desk and (seen[link.desk] or redis.call('EXISTS', link.desk) == 1) then
      return 'already_exists'
    end
    local coming = v and v.new and v.key == link.visit
    if link.visit and not coming and redis.call('EXISTS', link.visit) == 0 then
      return 'unknown_visit'
    end
    seen[link.key], seen[link.desk or ''] = true, true
  end
end

local function in_force(revoke)
  local found = {}
  if revoke.links then
    local all = redis.call('HGETALL', revoke.links)
    for n = 1, #all, 2 do
      local key = revoke.link .. all[n]
      if all[n + 1] == revoke.seat and redis.call('HGET', key, 'revoked_at') == '' then
        found[#found + 1] = key
      end
    end
  else
    local key = revoke.link .. (redis.call('GET', revoke.desk) or '')
    local link = redis.call('HMGET', key, 'practice', 'revoked_at')
    if link[1] == revoke.practice and link[2] == '' then found[1] = key end
  end
  return found
end

local function revoke_all(found, revoke)
  for _, key in ipairs(found) do
    redis.call('HSET', key, 'revoked_at', revoke.at)
    if revoke.desk then
      redis.call('EXPIRE', key, revoke.lives)
      redis.call('EXPIRE', revoke.desk, revoke.lives)
      redis.call('PUBLISH', revoke.channel, revoke.notice)
    end
  end
end

local function add_links(links)
  for _, link in ipairs(links) do
    redis.call('HSET', link.key, unpack(link.fields))
    if link.desk then redis.call('SET', link.desk, link.hash) end
    if link.visit then
      redis.call('HSET', link.links, link.hash, link.seat)
      local lives = redis.call('PTTL', link.visit)
      if lives > 0 then
        redis.call('PEXPIRE', link.key, lives)
        redis.call('PEXPIRE', link.links, lives)
      end
    end
  end
end
"""

# Every change of a visit, its links and the log. ARGV: the plan as JSON, the visit's body, the
# sealed reply. Answers ``{'ok', links revoked, 'logged'}``, or ``{'stale', practice, cursor, mac}``
# with three more for each further log, or ``{code of the refusal}``.
WRITE = Script(
    "write",
    PUT_VISIT
    + _LOG
    + _LINKS
    + """
local plan = cjson.decode(ARGV[1])
local v, revoke, reply = plan.visit, plan.revoke, plan.reply

local function visit_refused()
  local found = redis.call('HMGET', v.key, 'version', 'owner', 'epoch')
  if v.new then return redis.call('EXISTS', v.key) == 1 and 'already_exists' or nil end
  if not found[1] then return 'unknown_visit' end
  local owner = found[2] or ''
  if owner ~= v.owner or owner ~= '' and found[3] ~= v.epoch then return 'not_owner' end
  if found[1] ~= v.replaces then return 'version_conflict' end
end

local function reply_refused()
  local expires = redis.call('HGET', reply.key, 'expires_at')
  return expires and tonumber(expires) > tonumber(reply.now) and 'already_exists' or nil
end

local refused = v and visit_refused() or links_refused(plan.links, v)
  or reply and reply_refused()
if refused then return {refused} end

local found = revoke and in_force(revoke) or {}
if plan.only_if_revoked and #found == 0 then return {'ok', 0} end
local stale = stale_heads(plan.log)
if stale then return stale end
if foreign(plan.kinds) or v and visit_foreign(v) then return {'store_unavailable'} end

append(plan.log)
if v then
  put_visit(v, ARGV[2])
  if v.new then redis.call('HSET', v.key, 'owner', '', 'epoch', '0') end
end
if revoke then revoke_all(found, revoke) end
add_links(plan.links)
if reply then
  redis.call('DEL', reply.key)
  redis.call('HSET', reply.key, 'sealed', ARGV[3], unpack(reply.fields))
  redis.call('PEXPIRE', reply.key, reply.lives)
end
return {'ok', #found, 'logged'}
""",
)

# KEYS: the practice's visits by start, those that run. ARGV: since, until.
VISITS_BETWEEN = Script(
    "visits_between",
    """
local found, seen = redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[1], '(' .. ARGV[2]), {}
for _, id in ipairs(found) do seen[id] = true end
for _, id in ipairs(redis.call('SMEMBERS', KEYS[2])) do
  if not seen[id] then found[#found + 1] = id end
end
return found
""",
    reads_only=True,
)

# KEYS: visits. Their bodies; nothing where there is none, or something else.
BODIES = Script(
    "bodies",
    """
local found = {}
for n, key in ipairs(KEYS) do
  local body = redis.pcall('HGET', key, 'body')
  found[n] = type(body) == 'string' and body
end
return found
""",
    reads_only=True,
)

# KEYS: the desk. ARGV: what keys of links begin with. Its hash, and its link as a flat list.
FIND_DESK = Script(
    "find_desk",
    """
local hash = redis.call('GET', KEYS[1])
return hash and {hash, redis.call('HGETALL', ARGV[1] .. hash)}
""",
    reads_only=True,
)

# KEYS: the practice, all practices. ARGV: its id, its JSON, the channel, the notice.
PUT_PRACTICE = Script(
    "put_practice",
    """
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('SET', KEYS[1], ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[4])
""",
)

# KEYS: all practices. ARGV: what the key of each begins with.
PRACTICES = Script(
    "practices",
    """
local found = {}
for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local kept = redis.pcall('GET', ARGV[1] .. id)
  if type(kept) == 'string' then found[#found + 1] = kept end
end
return found
""",
    reads_only=True,
)

# KEYS: the key by its hash, by its id. ARGV: the hash, then its fields. 0 when it is there already.
ADD_API_KEY = Script(
    "add_api_key",
    """
if redis.call('EXISTS', KEYS[1], KEYS[2]) > 0 then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('SET', KEYS[2], ARGV[1])
return 1
""",
)

# KEYS: the key by its id. ARGV: what keys of keys begin with, when, how long it stays.
REVOKE_API_KEY = Script(
    "revoke_api_key",
    """
local hash = redis.call('GET', KEYS[1])
local key = hash and ARGV[1] .. hash
if not key or redis.call('HGET', key, 'revoked_at') ~= '' then return 0 end
redis.call('HSET', key, 'revoked_at', ARGV[2])
redis.call('EXPIRE', key, ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
""",
)

# KEYS: the node's calls. ARGV: the call, its JSON, how long it stays.
KEEP_CALL = Script(
    "keep_call",
    """
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
""",
)

# KEYS: the practice's recordings, this one, practices that have any. ARGV: its name, its sum, it,
# the most of a practice, the practice, the word of this change, the channel, the notice.
KEEP_RECORDING = Script(
    "keep_recording",
    """
local others = redis.call('HLEN', KEYS[1]) - redis.call('HEXISTS', KEYS[1], ARGV[1])
if others >= tonumber(ARGV[4]) then return 0 end
redis.call('HSET', KEYS[3], ARGV[5], ARGV[6])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('SET', KEYS[2], ARGV[3])
redis.call('PUBLISH', ARGV[7], ARGV[8])
return 1
""",
)

# KEYS: as above. ARGV: its name, the practice, the word of this change, the channel, the notice.
DROP_RECORDING = Script(
    "drop_recording",
    """
if redis.call('HDEL', KEYS[1], ARGV[1]) + redis.call('DEL', KEYS[2]) == 0 then return end
if redis.call('HLEN', KEYS[1]) == 0 then
  redis.call('HDEL', KEYS[3], ARGV[2])
else
  redis.call('HSET', KEYS[3], ARGV[2], ARGV[3])
end
redis.call('PUBLISH', ARGV[4], ARGV[5])
""",
)

# KEYS: counts of calls. ARGV: the most of each, then how long a count lives. One call more on every
# count; or 0, and none on any.
TAKE_CALL = Script(
    "take_call",
    """
for n, key in ipairs(KEYS) do
  if tonumber(redis.call('GET', key) or 0) + 1 > tonumber(ARGV[n]) then return 0 end
end
for _, key in ipairs(KEYS) do
  if redis.call('INCRBY', key, 1) == 1 then redis.call('EXPIRE', key, ARGV[#ARGV]) end
end
return 1
""",
)

# KEYS: visits by start. ARGV: what keys of visits begin with, started before, from, how many.
# Answers how many were looked at and how many of them are gone.
PRUNE_BY_START = Script(
    "prune_by_start",
    """
local before, from, most = '(' .. ARGV[2], ARGV[3], ARGV[4]
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', before, 'LIMIT', from, most)
local gone = 0
for _, id in ipairs(found) do
  if redis.call('EXISTS', ARGV[1] .. id) == 0 then gone = gone + redis.call('ZREM', KEYS[1], id) end
end
return {#found, gone}
""",
)

# KEYS: visits that run. ARGV: what keys of visits begin with.
PRUNE_RUNNING = Script(
    "prune_running",
    """
for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  if redis.call('EXISTS', ARGV[1] .. id) == 0 then redis.call('SREM', KEYS[1], id) end
end
""",
)
