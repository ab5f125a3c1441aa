-- What wrk sends: requests made once, before the clock starts, and taken in turn, so that the
-- load generator costs little. Arguments: kind of key, number of keys.
local requests, at = {}, 0

function init(args)
	local kind, keys = args[1], tonumber(args[2])
	for i = 1, keys do
		local key = "u" .. (i * 7919) % keys
		if kind == "header" then
			requests[i] = wrk.format("GET", "/", {["X-User"] = key})
		else
			requests[i] = wrk.format("GET", "/?a=1&k=" .. key)
		end
	end
end

function request()
	at = at % #requests + 1
	return requests[at]
end

function done(summary, latency)
	local e = summary.errors
	io.write(string.format("RESULT %d %d %d %d\n", summary.requests, summary.duration,
		e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(99)))
end
