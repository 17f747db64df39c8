-- Asks "watchword serve" whether a request may pass, and answers the client if it may not.
local GATE = "http://127.0.0.1:9200/"
local TIMEOUT = 10000 -- milliseconds

-- The connection's, and what this action sets itself.
local NOT_SENT = {
    ["connection"] = true, ["upgrade"] = true, ["keep-alive"] = true, ["proxy-connection"] = true, ["te"] = true,
    ["trailer"] = true, ["transfer-encoding"] = true, ["content-length"] = true, ["expect"] = true,
    ["x-original-method"] = true, ["x-original-uri"] = true,
}

local function values(list)
    local found = {}
    -- HAProxy counts from 0.
    for index = 0, #list do
        found[#found + 1] = list[index]
    end
    return found
end

local function check(txn)
    local target = txn.sf:pathq()
    local headers = {
        ["x-original-method"] = { txn.sf:method() },
        -- "OPTIONS *" has no path.
        ["x-original-uri"] = { target ~= "" and target or "*" },
    }
    for name, list in pairs(txn.http:req_get_headers()) do
        if not NOT_SENT[name] then
            headers[name] = values(list)
        end
    end
    local answer = core.httpclient():get({ url = GATE, headers = headers, timeout = TIMEOUT })
    if answer and answer.status == 200 then
        for name, list in pairs(answer.headers) do
            if name:sub(1, 7) == "x-auth-" then
                txn.http:req_set_header(name, list[0])
            end
        end
        return
    end
    local reply = txn:reply()
    if answer and answer.status >= 400 then
        reply:set_status(answer.status, answer.reason)
        for name, list in pairs(answer.headers) do
            if not NOT_SENT[name] then
                for _, value in ipairs(values(list)) do
                    reply:add_header(name, value)
                end
            end
        end
        reply:set_body(answer.body)
    else
        -- The gate does not answer.
        reply:set_status(503)
    end
    txn:done(reply)
end

core.register_action("watchword", { "http-req" }, check)
