-- What was told is told again by `api.replay_page` of every service; no release has asked for this one.
drop function api.latest_events(jsonb);
