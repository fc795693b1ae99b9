-- For wrk: DEPTH requests at once on each connection; "-- DEPTH" on its command line.
local batch

function init(args)
    local one = {}
    for i = 1, tonumber(args[1] or 16) do
        one[i] = wrk.format("GET", "/")
    end
    batch = table.concat(one)
end

function request()
    return batch
end
