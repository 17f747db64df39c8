-- The gate inside nginx: libwatchword by LuaJIT's FFI. docs/nginx.md is its guide.
--
--   init_by_lua_block        { watchword = require "watchword"
--                              settings = { config = "/etc/watchword/gate.toml", replay = "watchword_proofs" }
--                              watchword.validate(settings) }
--   init_worker_by_lua_block { gate = watchword.open(settings) }
--   access_by_lua_block      { gate:access() }
--
-- Whatever fails here ends the request with an error: ngx_lua answers 500 if Lua code raises one.

local ffi = require "ffi"
local replay_stores = require "watchword_replay"

local ngx = ngx
local type, error, pairs, pcall, tostring, tonumber = type, error, pairs, pcall, tostring, tonumber
local ffi_string, lower, match = ffi.string, string.lower, string.match
local get_headers, set_header, clear_header = ngx.req.get_headers, ngx.req.set_header, ngx.req.clear_header
local get_method, is_internal, discard_body = ngx.req.get_method, ngx.req.is_internal, ngx.req.discard_body

local ABI_VERSION = 1
local REPLAY_EXTERNAL = 1
local ALLOWED, REJECTED, UNCONFIRMED = 1, 2, 3
local FIRST_USE, REPLAYED, UNAVAILABLE = 1, 2, 3
local TEXT_CODE, TEXT_DETAIL, TEXT_BODY, TEXT_REPLAY_ID = 1, 2, 3, 4
-- The longest message of the library.
local MESSAGE_BYTES = 8192
-- How often a worker logs what happened to the files, in seconds.
local REPORT_INTERVAL = 1
-- The most headers that are removed from a request: for each, nginx searches all of them.
local MAX_REMOVED = 100

if not pcall(ffi.typeof, "watchword_gate") then
  ffi.cdef [[
    typedef struct watchword_gate watchword_gate;
    typedef struct watchword_decision watchword_decision;
    typedef struct watchword_header {
      const char *name; size_t name_length;
      const char *value; size_t value_length;
    } watchword_header;
    typedef struct watchword_request {
      size_t size;
      const char *method; size_t method_length;
      const char *target; size_t target_length;
      const watchword_header *headers; size_t header_count;
      const char *certificate; size_t certificate_length;
    } watchword_request;
    uint32_t watchword_abi_version(void);
    watchword_gate *watchword_gate_open(const char *, const char *, uint32_t, char *, size_t);
    void watchword_gate_close(watchword_gate *);
    int32_t watchword_gate_records_proofs(const watchword_gate *);
    size_t watchword_gate_next_event(const watchword_gate *, int32_t *, char *, size_t);
    watchword_decision *watchword_decision_new(void);
    void watchword_decision_free(watchword_decision *);
    int32_t watchword_check(const watchword_gate *, const watchword_request *, watchword_decision *);
    int32_t watchword_confirm(watchword_decision *, uint32_t);
    uint32_t watchword_decision_status(const watchword_decision *);
    const watchword_header *watchword_decision_headers(const watchword_decision *, size_t *);
    const size_t *watchword_decision_removed(const watchword_decision *, size_t *);
    const char *watchword_decision_text(const watchword_decision *, uint32_t, size_t *);
    double watchword_decision_replay_expires(const watchword_decision *);
  ]]
end

local fields_type = ffi.typeof "watchword_header[?]"
local length = ffi.new "size_t[1]"
local request = ffi.new "watchword_request"
request.size = ffi.sizeof "watchword_request"

local Gate = {}
Gate.__index = Gate

local watchword = { _VERSION = "0.1.0" }

-- One library for a process: it is never unloaded while a gate is open.
local libraries = {}

local function load_library(name)
  name = name or "watchword"
  if not libraries[name] then
    local found, library = pcall(ffi.load, name)
    if not found then
      error("watchword: cannot load the library " .. name .. ": install libwatchword.so, or set library to its path ("
        .. tostring(library) .. ")", 0)
    end
    local version = library.watchword_abi_version()
    if version ~= ABI_VERSION then
      error("watchword: " .. name .. " has version " .. version .. " of its interface, and watchword.lua needs "
        .. ABI_VERSION .. ": install both from one release", 0)
    end
    libraries[name] = library
  end
  return libraries[name]
end

local function check_options(options)
  if type(options) ~= "table" then
    error("watchword: settings must be a table with the key config", 0)
  end
  local known = { config = "string", keys = "string", library = "string", replay = "any" }
  for name, value in pairs(options) do
    local expected = known[name]
    if not expected then
      error("watchword: unknown setting " .. tostring(name) .. ": it must be config, keys, replay or library", 0)
    end
    if expected ~= "any" and type(value) ~= expected then
      error("watchword: the setting " .. name .. " must be a " .. expected, 0)
    end
  end
  if not options.config then
    error("watchword: the setting config is missing: set it to the path of gate.toml", 0)
  end
end

-- A gate that is not open yet.
local function new_gate(options)
  check_options(options)
  return setmetatable({
    library = load_library(options.library),
    options = options,
    store = options.replay ~= nil and replay_stores.open(options.replay) or nil,
    fields = fields_type(64),
    capacity = 64,
    idle = {},
    idle_count = 0,
    message = ffi.new("char[?]", MESSAGE_BYTES),
  }, Gate)
end

local function open(gate)
  local library, options, message = gate.library, gate.options, gate.message
  -- Never the memory of one worker, even if there is only one: a reload starts its successor beside it.
  local handle = library.watchword_gate_open(options.config, options.keys, REPLAY_EXTERNAL, message, MESSAGE_BYTES)
  if handle == nil then
    error("watchword: " .. ffi_string(message), 0)
  end
  handle = ffi.gc(handle, library.watchword_gate_close)
  if not gate.store and library.watchword_gate_records_proofs(handle) ~= 0 then
    library.watchword_gate_close(ffi.gc(handle, nil))
    error("watchword: DPoP proofs need a replay store that all workers share, and that a reload keeps: declare "
      .. "\"lua_shared_dict watchword_proofs 16m;\" and set replay = \"watchword_proofs\", or to a table with the host and "
      .. "port of a Redis server; or set replay = \"none\" in the section [dpop] of the configuration to accept "
      .. "replayed proofs", 0)
  end
  gate.handle = handle
end

-- Opens the gate of a worker. The reason why that fails is logged once: it is tried again every second.
local function try_to_open(gate)
  local opened, reason = pcall(open, gate)
  if not opened and reason ~= gate.reason then
    ngx.log(ngx.ERR, reason, "; until that is repaired, this worker answers 500")
  elseif opened and gate.reason then
    ngx.log(ngx.NOTICE, "watchword: the gate is open")
  end
  gate.reason = not opened and reason or nil
end

-- Checks the settings, the configuration and the keys, and raises an error that says what is wrong. In init_by_lua it keeps
-- nginx from starting, and a reload from replacing the workers ("nginx -t" does not run Lua).
function watchword.validate(options)
  local gate = new_gate(options)
  open(gate)
  gate:close()
end

-- Opens a gate for this worker. The configuration and the keys are read again when they change. If they are invalid when a
-- worker starts in place of one that has died, its gate opens once they are valid.
function watchword.open(options)
  if ngx.get_phase() == "init" then
    error("watchword: open the gate in init_worker_by_lua: its thread, which reads changed files, does not survive the "
      .. "fork of the workers. In init_by_lua, call watchword.validate", 0)
  end
  local gate = new_gate(options)
  try_to_open(gate)
  ngx.timer.every(REPORT_INTERVAL, function(premature)
    if premature or gate.is_closed then
      return
    elseif gate.handle then
      gate:log_events()
    else
      try_to_open(gate)
    end
  end)
  return gate
end

-- Writes to the error log what happened to the files since it was last called.
function Gate:log_events()
  local is_error = ffi.new "int32_t[1]"
  while self.library.watchword_gate_next_event(self.handle, is_error, self.message, MESSAGE_BYTES) > 0 do
    ngx.log(is_error[0] ~= 0 and ngx.ERR or ngx.NOTICE, "watchword: ", ffi_string(self.message))
  end
end

-- Closes the gate: no request is checked by it after that. A worker that ends does so by itself.
function Gate:close()
  local handle = self.handle
  self.handle, self.is_closed = nil, true
  if handle then
    self.library.watchword_gate_close(ffi.gc(handle, nil))
  end
end

-- A decision that no other request has: a request that waits for its replay store keeps its own.
local function take_decision(gate)
  local count = gate.idle_count
  if count > 0 then
    local decision = gate.idle[count]
    gate.idle[count] = nil
    gate.idle_count = count - 1
    return decision
  end
  local library = gate.library
  local decision = library.watchword_decision_new()
  if decision == nil then
    error("watchword: out of memory", 0)
  end
  return ffi.gc(decision, library.watchword_decision_free)
end

local function give_back(gate, decision)
  local count = gate.idle_count + 1
  gate.idle[count] = decision
  gate.idle_count = count
end

-- Doubles the room for headers until they fit.
local function grow(gate, count)
  local capacity = gate.capacity
  while capacity < count do
    capacity = capacity * 2
  end
  gate.fields, gate.capacity = fields_type(capacity), capacity
end

local function count_values(headers)
  local count = 0
  for _, value in pairs(headers) do
    count = count + (type(value) == "table" and #value or 1)
  end
  return count
end

-- The Host header as nginx reads it, which selects one of several public URLs: nginx takes the host of an absolute-form
-- target instead of it (RFC 9112 section 3.2.2), and drops a dot at its end.
local function read_host(sent, host)
  -- LuaJIT does not compile the match.
  if sent == host then
    return sent
  end
  return lower(match(sent, "^(.*):%d*$") or sent) == host and sent or host
end

-- Checks the request by the gate. Method and target are those that the client sent, also after an internal redirect.
local function check(gate, decision)
  local variables = ngx.var
  local method = is_internal() and match(variables.request, "^%S+") or get_method() or ""
  local target = variables.request_uri
  -- All of them: by default it returns a hundred.
  local headers, truncated = get_headers(0, true)
  if truncated then
    error("watchword: the headers of the request are incomplete", 0)
  end
  local count = count_values(headers) + 1
  if count > gate.capacity then
    grow(gate, count)
  end
  local host, host_name = variables.host, "Host"
  local fields, position = gate.fields, 0
  for name, value in pairs(headers) do
    if type(value) == "table" then
      for index = 1, #value do
        local field, one = fields[position], value[index]
        field.name, field.name_length, field.value, field.value_length = name, #name, one, #one
        position = position + 1
      end
    elseif #name == 4 and lower(name) == "host" then
      host, host_name = read_host(value, host), name
    else
      local field = fields[position]
      field.name, field.name_length, field.value, field.value_length = name, #name, value, #value
      position = position + 1
    end
  end
  local field = fields[position]
  field.name, field.name_length, field.value, field.value_length = host_name, 4, host, #host
  position = position + 1
  request.method, request.method_length = method, #method
  request.target, request.target_length = target, #target
  request.headers, request.header_count = fields, position
  -- The library reads the strings by pointers: they must live until it returns, and the names until some are removed.
  return gate.library.watchword_check(gate.handle, request, decision), headers, method, target, host
end

-- Removes what a client sent under the names of identity headers, in every spelling. Returns whether none is left.
local function remove_headers(gate, decision, headers)
  local removed = gate.library.watchword_decision_removed(decision, length)
  local count = tonumber(length[0])
  if count == 0 then
    return true
  elseif count > MAX_REMOVED then
    return false
  end
  local names = {}
  for index = 0, count - 1 do
    local field = gate.fields[removed[index]]
    local name = ffi_string(field.name, field.name_length)
    names[name] = headers[name]
    clear_header(name)
  end
  -- ngx_lua encodes characters that a name cannot have, and then does not find it; and if the status is 400, it removes
  -- nothing, without an error.
  for name in pairs(get_headers(0, true)) do
    if names[name] then
      return false
    end
  end
  return true
end

-- A text of the decision.
local function text(gate, decision, which)
  local data = gate.library.watchword_decision_text(decision, which, length)
  return ffi_string(data, length[0])
end

-- Asks the replay store whether the proof is used for the first time.
local function confirm(gate, decision)
  local library = gate.library
  local use = UNAVAILABLE
  local seconds = library.watchword_decision_replay_expires(decision) - ngx.now()
  if gate.store and seconds > 0 then
    -- An internal redirect checks the same request again, which may use its proof again: the mark is this request's.
    local called, first, message = pcall(gate.store, text(gate, decision, TEXT_REPLAY_ID), seconds, ngx.var.request_id)
    if called and first == true then
      use = FIRST_USE
    elseif called and first == false then
      use = REPLAYED
    else
      ngx.log(ngx.ERR, "watchword: the replay store is unavailable: ", tostring(called and message or first))
    end
  end
  return library.watchword_confirm(decision, use)
end

-- Sets the identity headers. nginx cannot set one without a value: it is absent then, as the client's are removed.
local function set_identity(gate, decision)
  local headers = gate.library.watchword_decision_headers(decision, length)
  for index = 0, tonumber(length[0]) - 1 do
    local field = headers[index]
    if field.value_length > 0 then
      set_header(ffi_string(field.name, field.name_length), ffi_string(field.value, field.value_length))
    end
  end
end

-- Answers a request that is rejected.
local function answer(gate, decision)
  local library = gate.library
  ngx.status = library.watchword_decision_status(decision)
  local headers = library.watchword_decision_headers(decision, length)
  for index = 0, tonumber(length[0]) - 1 do
    local field = headers[index]
    ngx.header[ffi_string(field.name, field.name_length)] = ffi_string(field.value, field.value_length)
  end
  local body = text(gate, decision, TEXT_BODY)
  ngx.header["Content-Length"] = #body
  ngx.log(ngx.INFO, "watchword: ", text(gate, decision, TEXT_CODE), ": ", text(gate, decision, TEXT_DETAIL))
  return body
end

-- Checks the request. If it is allowed, the identity headers are set, and it goes on; otherwise it is answered here. For
-- access_by_lua.
function Gate:access()
  if not self.handle then
    error("watchword: the gate is not open", 0)
  end
  local decision = take_decision(self)
  local result, headers = check(self, decision)
  if result ~= REJECTED then
    if not remove_headers(self, decision, headers) then
      give_back(self, decision)
      ngx.log(ngx.INFO, "watchword: the request has headers below the prefix of the identity headers that cannot be "
        .. "removed: too many, or with names that are malformed")
      return ngx.exit(ngx.HTTP_BAD_REQUEST)
    end
    if result == UNCONFIRMED then
      result = confirm(self, decision)
    end
  end
  if result == ALLOWED then
    set_identity(self, decision)
    give_back(self, decision)
    return
  end
  -- What is left of the body would be read as the next request.
  if not pcall(discard_body) then
    give_back(self, decision)
    return ngx.exit(ngx.HTTP_BAD_REQUEST)
  end
  local body = answer(self, decision)
  give_back(self, decision)
  ngx.print(body)
  -- The status is sent already: this ends the request, not only the phase.
  return ngx.exit(ngx.HTTP_OK)
end

return watchword
