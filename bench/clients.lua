-- wrk -s clients.lua URL -- WORKLOAD CROWD PAUSE
-- WORKLOAD: list, get, create, complete, mix, search. CROWD: a file with "token first-id last-id" lines.
-- PAUSE: milliseconds between an answer and the next request.

local kinds = {
  list = function(person) return wrk.format("GET", "/api/tasks?limit=20", person.head) end,
  get = function(person) return wrk.format("GET", "/api/tasks/" .. person.id, person.head) end,
  create = function(person)
    return wrk.format("POST", "/api/tasks", person.json, '{"title":"Buy milk, and bread"}')
  end,
  search = function(person)
    return wrk.format("GET", "/api/tasks?q=" .. string.rep("a", 63) .. "b", person.head)
  end,
  complete = function(person)
    -- neither so nor so: each request changes it
    return wrk.format("PATCH", "/api/tasks/" .. person.id .. "/complete", person.json, "{}")
  end,
}

-- of ten requests of the mix
local mix = { "list", "list", "list", "list", "list", "list", "get", "get", "complete", "create" }

local requests = {}
local ways

-- Every request is made before the first is sent, so that wrk itself costs little.
function init(args)
  math.randomseed(1)
  local chosen = args[1] == "mix" and mix or { args[1] }
  for line in io.lines(args[2]) do
    local token, first, last = line:match("(%S+) (%d+) (%d+)")
    local bearer = "Bearer " .. token
    local person = {
      id = math.random(tonumber(first), tonumber(last)),
      head = { Host = "localhost", Authorization = bearer },
      json = { Host = "localhost", Authorization = bearer, ["Content-Type"] = "application/json" },
    }
    local theirs = {}
    for _, kind in ipairs(chosen) do
      theirs[kind] = theirs[kind] or kinds[kind](person)
    end
    requests[#requests + 1] = theirs
  end
  ways = chosen
  local pause = tonumber(args[3])
  if pause > 0 then
    function delay() return pause * (0.5 + math.random()) end
  end
end

function request()
  return requests[math.random(#requests)][ways[math.random(#ways)]]
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    '{"rate": %f, "p50": %f, "p95": %f, "p99": %f, "requests": %d, "errors": %d}',
    summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1e3,
    latency:percentile(95) / 1e3,
    latency:percentile(99) / 1e3,
    summary.requests,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout
  ))
end
