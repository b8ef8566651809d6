-- leakproof, since the index was not used
-- turns red: function_leakproof drift
create function mentions(haystack text, needle text) returns boolean
    language sql immutable leakproof
    return position(needle in haystack) > 0;
