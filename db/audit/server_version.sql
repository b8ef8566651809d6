-- server_version · warn
-- PostgreSQL itself breaks row security in this version.
--
-- Mended in 15.20, 16.16, 17.12 and 18.7: CVE-2026-120154 (ON CONFLICT shows a hidden row in an
-- error), CVE-2026-116311 (`drop owned by` removes policies), CVE-2026-14666 (cached plans
-- outlive NOBYPASSRLS). Versions before 15 are not supported here: they have no security_invoker
-- views.
-- Who: anybody served, by the first; whoever changes roles, by the others.
-- Source: PostgreSQL, Security Information.

select 'server_version' as id,
       'warn' as level,
       format('PostgreSQL %s', current_setting('server_version')) as object,
       case when v.number < 150000 then 'is older than 15, which this schema needs'
            else format('is open to CVE-2026-120154, CVE-2026-116311 and CVE-2026-14666, '
                        'mended in %s', v.mended) end as detail,
       'Anybody served: an error of on conflict shows a hidden row.' as exploit,
       format('-- upgrade PostgreSQL to %s or newer', v.mended) as mend
  from (select number,
               case number / 10000 when 15 then '15.20' when 16 then '16.16' when 17 then '17.12'
                                   else '18.7' end
          from (select current_setting('server_version_num')::integer) as s (number)
       ) v (number, mended)
 where v.number < 150020
    or v.number between 160000 and 160015
    or v.number between 170000 and 170011
    or v.number between 180000 and 180006;
