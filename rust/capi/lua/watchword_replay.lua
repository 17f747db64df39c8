-- Replay stores for DPoP proofs (RFC 9449 section 11.1) that the workers of nginx share.
--
-- A store is a function of the id of a proof, the seconds for which to keep it, and a mark of the request, which may use
-- its proof again after an internal redirect. It returns true for the first use; false if another request used it; nil and
-- a message if that is unknown, so that the proof is rejected.

local ngx = ngx
local type, error, pairs, pcall, tostring, tonumber = type, error, pairs, pcall, tostring, tonumber
local require, table_concat = require, table.concat

local ATTEMPTS = 2
local stores = {}

-- In a lua_shared_dict. A proof is never removed for another: if there is no room, new ones are rejected.
local function shared_dict(name)
  local dict = ngx.shared[name]
  if not dict then
    error("watchword: there is no shared dictionary " .. name .. ": add \"lua_shared_dict " .. name .. " 16m;\" to the "
      .. "http section of nginx.conf", 0)
  end
  return function(id, seconds, mark)
    -- It drops fractions of a millisecond, and what is to be kept for none is kept for ever.
    local added, message = dict:safe_add(id, mark, seconds + 0.001)
    if added then
      return true
    end
    if message == "exists" then
      return dict:get(id) == mark
    end
    return nil, "the shared dictionary " .. name .. ": " .. tostring(message)
  end
end

-- lua-resty-redis by its own name, or by that of Debian's package lua-nginx-redis.
local function redis_module()
  for _, name in pairs { "resty.redis", "nginx.redis" } do
    local found, module = pcall(require, name)
    if found then
      return module
    end
  end
  error("watchword: a replay store in Redis needs lua-resty-redis: install it (Debian: lua-nginx-redis)", 0)
end

local REDIS_SETTINGS = {
  host = "string", port = "number", socket = "string", username = "string", password = "string", database = "number",
  ssl = "boolean", server_name = "string", prefix = "string", timeout = "number", pool_size = "number",
}

local function check_redis(settings)
  for name, value in pairs(settings) do
    local expected = REDIS_SETTINGS[name]
    if type(value) ~= expected then
      error(expected and "watchword: replay." .. name .. " must be a " .. expected
        or "watchword: unknown setting replay." .. tostring(name), 0)
    end
  end
  if not settings.host == not settings.socket then
    error("watchword: replay must have host (and port) or socket", 0)
  end
  if settings.username and not settings.password then
    error("watchword: replay.password is missing: replay.username has no effect without it", 0)
  end
  for _, name in pairs { "port", "timeout", "pool_size" } do
    if settings[name] and settings[name] <= 0 then
      error("watchword: replay." .. name .. " must be greater than 0", 0)
    end
  end
end

-- In Redis or Valkey, with the same keys as watchword.RedisReplayStore: gates of both kinds may share a server.
local function redis(settings)
  check_redis(settings)
  local module = redis_module()
  if settings.ssl and tonumber(module._VERSION) < 0.28 then
    error("watchword: replay.ssl needs lua-resty-redis 0.28 or newer", 0)
  end
  local timeout = (settings.timeout or 1) * 1000
  local prefix = settings.prefix or "watchword:dpop:"
  local pool_size = settings.pool_size or 32
  local address = settings.socket and "unix:" .. settings.socket or settings.host
  local port = settings.port or 6379
  local options = {
    -- Connections of another user or database must not be taken for these.
    pool = table_concat({ "watchword", address, port, settings.username or "", settings.database or 0 }, "|"),
    ssl = settings.ssl,
    ssl_verify = settings.ssl,
    server_name = settings.server_name,
  }

  local function connect()
    local client, message = module:new()
    if not client then
      return nil, message
    end
    client:set_timeout(timeout)
    local connected
    if settings.socket then
      connected, message = client:connect(address, options)
    else
      connected, message = client:connect(address, port, options)
    end
    if connected and client:get_reused_times() == 0 then
      if settings.password and settings.username then
        connected, message = client:auth(settings.username, settings.password)
      elseif settings.password then
        connected, message = client:auth(settings.password)
      end
      if connected and settings.database then
        connected, message = client:select(settings.database)
      end
    end
    if not connected then
      client:close()
      return nil, message
    end
    return client
  end

  local function consume(id, seconds, mark)
    local client, message = connect()
    if not client then
      return nil, message
    end
    local key = prefix .. id
    local answer, first = nil, nil
    answer, message = client:set(key, mark, "NX", "PX", math.floor(seconds * 1000) + 1)
    if answer == "OK" then
      first = true
    elseif answer == ngx.null then
      -- The mark of another request, or of this one's first attempt, whose answer was lost, or before a redirect.
      answer, message = client:get(key)
      if answer then
        first = answer == mark
      end
    end
    if first == nil then
      client:close()
      return nil, message
    end
    client:set_keepalive(60000, pool_size)
    return first
  end

  return function(id, seconds, mark)
    local first, message
    for _ = 1, ATTEMPTS do
      first, message = consume(id, seconds, mark)
      if first ~= nil then
        return first
      end
    end
    return nil, "Redis: " .. tostring(message)
  end
end

-- The store that the setting replay describes.
function stores.open(setting)
  local kind = type(setting)
  if kind == "string" then
    return shared_dict(setting)
  elseif kind == "table" then
    return redis(setting)
  elseif kind == "function" then
    return setting
  end
  error("watchword: replay must be the name of a shared dictionary, a table with the host and port of a Redis server, or "
    .. "a function", 0)
end

return stores
