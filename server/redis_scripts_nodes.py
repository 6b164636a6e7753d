"""What Redis runs for the directory of nodes: who is there, and who owns which visit.

The owner and the epoch stand in the visit's own hash, where the scripts that save it compare them.
The set of an owner's visits is an index: where the two disagree, the hash is right.
"""

from __future__ import annotations

from server.redis_link import Script
from server.redis_scripts import PUT_VISIT

# KEYS: records, beats, what this node owns, its order to drain. ARGV: owner, record, how long the
# dead are listed, what keys of owned visits begin with. Answers how many this one owns, every
# record, and whether it is to drain. A node that still owns something stays listed, however long
# it is dead: somebody has to see to that.
BEAT = Script(
    "beat",
    """
local now = tonumber(redis.call('TIME')[1])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], now, ARGV[1])
local silent = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - tonumber(ARGV[3]))
for _, owner in ipairs(silent) do
  if redis.call('EXISTS', ARGV[4] .. owner) == 0 then
    redis.call('HDEL', KEYS[1], owner)
    redis.call('ZREM', KEYS[2], owner)
  end
end
return {redis.call('SCARD', KEYS[3]), redis.call('HVALS', KEYS[1]), redis.call('EXISTS', KEYS[4])}
""",
)

# KEYS: records, beats. Answers every record, and for how many seconds its beat is the same.
ROLL = Script(
    "roll",
    """
local now, found = tonumber(redis.call('TIME')[1]), {}
local records = redis.call('HGETALL', KEYS[1])
for n = 1, #records, 2 do
  local beat = tonumber(redis.call('ZSCORE', KEYS[2], records[n]) or now)
  found[#found + 1] = {records[n + 1], tostring(now - beat)}
end
return found
""",
    reads_only=True,
)

# KEYS: records, beats, what it owned. ARGV: owner, what keys of visits begin with. What it owns
# after all is nobody's from now on, so that its writes are refused should it not be gone.
FORGET_NODE = Script(
    "forget_node",
    """
for _, id in ipairs(redis.call('SMEMBERS', KEYS[3])) do
  local visit = ARGV[2] .. id
  if redis.pcall('HGET', visit, 'owner') == ARGV[1] then redis.call('HSET', visit, 'owner', '') end
end
redis.call('DEL', KEYS[3])
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
""",
)

# KEYS: the visit. ARGV: its id, the new owner, the former owner and epoch, what keys of owned
# visits begin with. Answers the epoch, or a refusal. Whoever owns it already has it: the answer to
# an earlier claim may have been lost.
CLAIM = Script(
    "claim",
    """
local found = redis.call('HMGET', KEYS[1], 'version', 'owner', 'epoch')
if not found[1] then return 'unknown_visit' end
local owner, epoch = found[2] or '', tonumber(found[3] or 0)
if owner == ARGV[2] then return epoch end
if owner ~= ARGV[3] or owner ~= '' and epoch ~= tonumber(ARGV[4]) then return 'not_owner' end
local grown = string.format('%.0f', epoch + 1)
redis.call('HSET', KEYS[1], 'owner', ARGV[2], 'epoch', grown, 'base', found[1])
if owner ~= '' then redis.call('SREM', ARGV[5] .. owner, ARGV[1]) end
redis.call('SADD', ARGV[5] .. ARGV[2], ARGV[1])
return epoch + 1
""",
)

# KEYS: the visit, what its owner owns. ARGV: its id, owner, epoch.
RELEASE = Script(
    "release",
    """
local found = redis.call('HMGET', KEYS[1], 'owner', 'epoch')
if found[1] == ARGV[2] and found[2] == ARGV[3] then
  redis.call('HSET', KEYS[1], 'owner', '')
  redis.call('SREM', KEYS[2], ARGV[1])
end
""",
)

# KEYS: what the owner owns. ARGV: owner, what keys of visits begin with.
OWNED_BY = Script(
    "owned_by",
    """
local owned = {}
for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  if redis.pcall('HGET', ARGV[2] .. id, 'owner') == ARGV[1] then
    owned[#owned + 1] = id
  else
    redis.call('SREM', KEYS[1], id)
  end
end
return owned
""",
)

# KEYS: visits by deadline. ARGV: now, how many, what keys of visits begin with. Reads in pages of
# as many: those that a node owns are few, for that node meets their deadlines.
DUE = Script(
    "due",
    """
local most, from, due, gone = tonumber(ARGV[2]), 0, {}, {}
repeat
  local page = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', from, most)
  for _, id in ipairs(page) do
    local found = redis.pcall('HMGET', ARGV[3] .. id, 'version', 'owner')
    if found.err or not found[1] then
      gone[#gone + 1] = id
    elseif (found[2] or '') == '' and #due < most then
      due[#due + 1] = id
    end
  end
  from = from + most
until #page < most or #due == most
for _, id in ipairs(gone) do redis.call('ZREM', KEYS[1], id) end
return due
""",
)

# ARGV: the visit's plan, its body, the owner, its epoch, what keys of owned visits begin with.
# Answers whether the visit is this owner's, at that version or a later one, with that epoch. A
# visit that is nobody's and went on without this owner is not: somebody else decided about it.
REASSERT = Script(
    "reassert",
    PUT_VISIT
    + """
local v = cjson.decode(ARGV[1])
if visit_foreign(v) then return 'foreign' end
local found = redis.call('HMGET', v.key, 'version', 'owner', 'epoch')
local version, known = tonumber(found[1] or 0), tonumber(v.version)
local owner, epoch = found[2] or '', tonumber(found[3] or 0)
local mine = owner == ARGV[3]
if not mine and (owner ~= '' or version > known) then return 0 end
if epoch > tonumber(ARGV[4]) then return 0 end
if version < known then put_visit(v, ARGV[2]) end
redis.call('HSET', v.key, 'owner', ARGV[3], 'epoch', ARGV[4])
redis.call('SADD', ARGV[5] .. ARGV[3], v.id)
return 1
""",
)
