-- event_trigger · error
-- An event trigger runs in everybody's sessions.
--
-- An event trigger runs a function of somebody's at each login (since PostgreSQL 17) or at each
-- change of the schema, with the privileges of whoever causes it: it can say who is asking before
-- anybody has said so, undo a policy while it is made, or copy what is changed. A disabled one is
-- one statement away from it.
-- Who: whoever wrote its function; at login, everybody who connects after.
-- Source: PostgreSQL manual, Event Triggers.

select 'event_trigger' as id,
       'error' as level,
       format('event trigger %I', e.evtname) as object,
       format('runs %s on %s%s', e.evtfoid::regprocedure, e.evtevent,
              case e.evtenabled when 'D' then ', when it is enabled' end) as detail,
       'Whoever wrote its function: code of theirs in the sessions of others.' as exploit,
       format('drop event trigger %I;', e.evtname) as mend
  from pg_catalog.pg_event_trigger e;
