-- builtin_changed · error
-- Something of PostgreSQL's own is not what initdb made.
--
-- A built-in function that is marked LEAKPROOF, SECURITY DEFINER or IMMUTABLE, or has another body,
-- is asked by every policy; a view of the catalog that was replaced shows whatever it likes to
-- everybody; a function put into pg_catalog is found before any other. Built-ins are known by their
-- oids (below 16384), not by their names. The oids of functions mean the same in every version, so
-- what initdb marks LEAKPROOF, VOLATILE or STABLE, and what it writes in SQL, is recorded here by
-- oid, of PostgreSQL 15 to 18: on a newer one this is NOT CHECKED. (A row's age would tell without
-- a record, but also of a grant that was taken back.) No built-in is SECURITY DEFINER, has settings
-- or another owner; none depends on what initdb did not make. A view that was replaced has a rule
-- that is younger than template0, the last thing that initdb makes, even if it reads as before:
-- nobody knows. Of its views only those of statistics have options, which keep a condition that
-- fails from telling what they hide. Which C function an internal one calls is not compared.
-- Who: anybody served.
-- Source: transam.h (FirstNormalObjectId); pg_proc.dat; PostgreSQL manual, CREATE FUNCTION.

with initdb (ended) as materialized (
    select case count(*) when 1 then min(xmin::text::bigint)
                else concat('there is no template0 to compare with')::bigint end
      from pg_catalog.pg_database where datname = 'template0'
), record (leakproof, volatile, stable, compiled, bodies) as materialized (
    select case when current_setting('server_version_num')::integer < 190000
                then leakproof
                else concat('the built-in functions of this version are not recorded')
                     ::int8multirange end,
           volatile, stable, compiled, bodies
      from (values (
           '{[56,74],[84,84],[144,151],[157,169],[184,185],[235,236],[240,253],[287,311],
            [313,313],[316,316],[318,318],[350,356],[358,360],[377,377],[404,407],[409,409],
            [458,459],[467,479],[481,482],[619,619],[652,652],[655,659],[677,681],[716,717],
            [740,743],[754,754],[830,836],[842,842],[852,857],[888,893],[920,926],[999,999],
            [1048,1053],[1063,1064],[1078,1078],[1086,1107],[1145,1145],[1152,1157],[1162,1167],
            [1246,1246],[1265,1265],[1288,1288],[1292,1292],[1314,1315],[1319,1319],[1352,1358],
            [1370,1370],[1400,1401],[1462,1467],[1482,1486],[1581,1596],[1638,1639],[1666,1672],
            [1691,1693],[1740,1740],[1742,1743],[1781,1782],[1850,1861],[1948,1954],[2045,2045],
            [2052,2057],[2160,2161],[2163,2164],[2166,2166],[2174,2175],[2177,2178],[2180,2180],
            [2188,2195],[2311,2311],[2321,2321],[2557,2558],[2790,2794],[2954,2960],[3231,3236],
            [3251,3251],[3308,3309],[3419,3422],[3432,3432],[3696,3696],[4113,4119],[4123,4123],
            [5034,5037],[5084,5085],[5096,5096],[6342,6343],[6364,6365],[6367,6369],[6393,6394]}'::int8multirange,
           '{[3,3],[274,275],[315,315],[330,335],[338,338],[715,715],[764,765],[767,767],
            [817,817],[952,958],[964,964],[1004,1004],[1065,1065],[1137,1137],[1250,1250],
            [1291,1291],[1294,1294],[1371,1371],[1574,1576],[1598,1599],[1644,1655],[1765,1765],
            [2078,2078],[2096,2096],[2137,2137],[2168,2168],[2171,2172],[2230,2230],[2274,2282],
            [2286,2286],[2307,2307],[2322,2325],[2332,2332],[2559,2559],[2561,2561],[2621,2626],
            [2649,2649],[2739,2739],[2848,2849],[2852,2852],[2880,2892],[2924,2925],[2927,2928],
            [2930,2930],[2997,2998],[3036,3048],[3071,3073],[3086,3086],[3089,3096],[3098,3098],
            [3170,3172],[3293,3293],[3295,3297],[3307,3307],[3313,3314],[3329,3330],[3353,3354],
            [3360,3378],[3401,3401],[3423,3423],[3425,3425],[3432,3432],[3436,3436],[3441,3445],
            [3448,3448],[3457,3460],[3577,3578],[3581,3591],[3685,3685],[3689,3690],[3752,3753],
            [3775,3777],[3779,3780],[3782,3786],[3789,3789],[3800,3801],[3809,3810],[3819,3821],
            [3826,3828],[3830,3830],[3878,3878],[3935,3936],[3952,3952],[3999,3999],[4014,4014],
            [4032,4032],[4083,4083],[4099,4101],[4220,4224],[4390,4391],[4543,4548],[5029,5031],
            [5052,5052],[5066,5066],[6003,6004],[6006,6014],[6168,6168],[6170,6170],[6208,6209],
            [6212,6212],[6214,6216],[6218,6218],[6224,6224],[6230,6230],[6232,6232],[6241,6241],
            [6248,6250],[6270,6272],[6305,6305],[6312,6313],[6318,6323],[6339,6341],[6344,6344],
            [6353,6353],[6362,6363],[6386,6387],[6397,6400],[6427,6430]}'::int8multirange,
           '{[44,45],[89,89],[101,108],[139,140],[197,198],[336,337],[384,386],[395,395],
            [398,398],[636,638],[710,710],[745,746],[750,751],[810,810],[861,861],[886,887],
            [939,939],[1031,1032],[1039,1039],[1079,1079],[1081,1085],[1136,1136],[1143,1143],
            [1150,1151],[1160,1161],[1171,1171],[1174,1174],[1176,1181],[1189,1190],[1215,1217],
            [1264,1264],[1269,1269],[1284,1285],[1290,1290],[1299,1303],[1305,1307],[1312,1313],
            [1348,1350],[1386,1388],[1391,1393],[1402,1403],[1573,1573],[1597,1597],[1619,1619],
            [1640,1643],[1662,1665],[1686,1686],[1689,1689],[1713,1714],[1716,1717],[1768,1768],
            [1770,1770],[1772,1778],[1780,1780],[1813,1829],[1922,1945],[1972,1972],[1993,2004],
            [2019,2019],[2022,2023],[2026,2028],[2030,2030],[2034,2034],[2037,2037],[2047,2047],
            [2049,2049],[2059,2059],[2077,2077],[2079,2084],[2093,2094],[2098,2098],[2121,2121],
            [2162,2162],[2165,2165],[2181,2186],[2196,2221],[2232,2232],[2246,2273],[2289,2291],
            [2297,2297],[2306,2306],[2351,2357],[2377,2395],[2400,2403],[2414,2415],[2422,2423],
            [2430,2433],[2500,2511],[2520,2533],[2549,2549],[2556,2556],[2560,2560],[2597,2599],
            [2647,2648],[2705,2710],[2730,2730],[2758,2762],[2769,2773],[2775,2775],[2781,2784],
            [2788,2788],[2844,2845],[2853,2857],[2859,2879],[2893,2893],[2896,2896],[2898,2899],
            [2923,2923],[2926,2926],[2929,2929],[2933,2938],[2943,2944],[2978,2980],[2999,3029],
            [3034,3035],[3051,3051],[3054,3059],[3063,3063],[3065,3070],[3074,3075],[3078,3084],
            [3099,3099],[3138,3143],[3150,3156],[3159,3163],[3169,3169],[3173,3173],[3175,3177],
            [3180,3180],[3195,3195],[3197,3201],[3204,3205],[3209,3209],[3265,3269],[3271,3274],
            [3294,3294],[3298,3299],[3317,3318],[3348,3352],[3357,3358],[3382,3382],[3400,3400],
            [3403,3403],[3406,3408],[3415,3415],[3426,3428],[3437,3438],[3454,3454],[3462,3463],
            [3475,3476],[3479,3479],[3490,3495],[3505,3507],[3528,3533],[3537,3537],[3539,3540],
            [3560,3561],[3566,3566],[3686,3688],[3714,3714],[3716,3716],[3736,3737],[3749,3751],
            [3754,3772],[3778,3778],[3781,3781],[3787,3788],[3808,3808],[3811,3812],[3815,3818],
            [3823,3824],[3829,3829],[3832,3839],[3842,3843],[3916,3916],[3939,3939],[3954,3954],
            [3960,3961],[4084,4086],[4092,4093],[4098,4099],[4135,4135],[4193,4195],[4203,4204],
            [4207,4210],[4213,4213],[4215,4215],[4226,4227],[4229,4234],[4242,4243],[4566,4568],
            [4598,4599],[4640,5001],[5009,5009],[5020,5021],[5040,5041],[5053,5053],[5059,5061],
            [5089,5091],[5094,5095],[6005,6005],[6107,6121],[6159,6159],[6169,6169],[6173,6174],
            [6183,6191],[6197,6197],[6203,6203],[6205,6207],[6210,6211],[6213,6213],[6217,6217],
            [6221,6221],[6223,6223],[6231,6231],[6240,6240],[6275,6287],[6309,6311],[6314,6317],
            [6327,6329],[6334,6338],[6348,6350],[6355,6356],[6358,6361],[6366,6366],[6377,6377],
            [6385,6385],[6401,6401]}'::int8multirange,
           '{[4302,4349],[4352,4387]}'::int8multirange,
           -- the beginning of the MD5 of each body in SQL
           '879:1590e6 880:786054 1176:43aba7 1215:11a3cb 1216:6a2ce2 1285:693d42 1290:945146
            1296:731117 1298:731117 1305:eb65b5 1306:f76cb1 1307:854fbd 1309:eb65b5 1310:f76cb1
            1311:854fbd 1348:0fea33 1384:4230fc 1386:0521dc 1426:b1ab9a 1481:048acb 1544:e207a9
            1708:d8e705 1710:2dddb4 1741:048acb 1810:02d9fa 1811:02d9fa 1812:915bc0 1848:731117
            1993:7ab6a9 2003:d046c2 2004:0c69a5 2042:eb65b5 2043:f76cb1 2044:854fbd 2059:0de92c
            2074:714107 2325:069337 2546:731117 2547:731117 2548:731117 2549:731117 2550:731117
            2631:731117 2932:e4a465 3050:58d1e8 3935:e2e4aa 3936:e47923 5023:731117 6183:a4d9a1
            6184:68cdf2'
           )) as it (leakproof, volatile, stable, compiled, bodies)
), functions as (
    select f.oid, f.proowner, f.prosecdef, f.proconfig, f.proleakproof, f.provolatile,
           l.lanname as language,
           substring(record.bodies from format('\m%s:(\w+)', f.oid)) as recorded_body,
           left(md5(coalesce(pg_get_function_sqlbody(f.oid), f.prosrc)), 6) as body,
           f.oid::bigint <@ record.leakproof as is_leakproof,
           case when f.oid >= 10000 then f.provolatile  -- information_schema's
                when f.oid::bigint <@ record.volatile then 'v'
                when f.oid::bigint <@ record.stable then 's' else 'i' end as volatility,
           f.oid::bigint <@ record.compiled as is_compiled
      from pg_catalog.pg_proc f
      join pg_catalog.pg_language l on l.oid = f.prolang
     cross join record
     where f.oid < 16384
)
select 'builtin_changed' as id,
       'error' as level,
       it.object,
       it.detail,
       'Anybody served, by whatever asks it: policies, views, the statements themselves.'
         as exploit,
       it.mend
  from (select format('function %s', f.oid::regprocedure),
               format('is PostgreSQL''s own, and %s', changed.what),
               format('-- make it again as initdb does: %s', f.oid::regprocedure)
          from functions f
         cross join lateral (
               select concat_ws(', ',
                          case when f.prosecdef then 'is SECURITY DEFINER' end,
                          case when f.proowner <> 10
                               then format('belongs to %s', f.proowner::regrole) end,
                          case when f.proconfig is not null then 'has settings of its own' end,
                          -- 3432 is not any more since 17
                          case when f.proleakproof and not f.is_leakproof then 'is LEAKPROOF'
                               when f.is_leakproof and not f.proleakproof and f.oid <> 3432
                               then 'is not LEAKPROOF' end,
                          -- these two differ from version to version
                          case when f.provolatile <> f.volatility and f.oid not in (1284, 4099)
                               then 'is ' || case f.provolatile when 'i' then 'IMMUTABLE'
                                             when 's' then 'STABLE' else 'VOLATILE' end end,
                          case when f.language <>
                                    case when f.oid >= 10000
                                         then case f.language when 'c' then 'c' else 'sql' end
                                         when f.recorded_body is not null then 'sql'
                                         when f.is_compiled then 'c' else 'internal' end
                                 or f.body <> f.recorded_body then 'has another body' end)
               ) changed (what)
         where changed.what <> ''
        union all
        select format('view %s', r.ev_class::regclass),
               'is PostgreSQL''s own, and was replaced',
               format('-- make it again as initdb does: %s', r.ev_class::regclass)
          from pg_catalog.pg_rewrite r
         cross join initdb
         where r.ev_class < 16384
           and (r.oid >= 16384 or r.xmin::text::bigint > initdb.ended)
        union all
        select format('view %s', c.oid::regclass),
               'is PostgreSQL''s own, and is no security barrier, or has other options',
               format('alter view %s %s;', c.oid::regclass,
                      case when initial.options is null then 'reset (security_barrier)'
                           else 'set (security_barrier = true)' end)
          from pg_catalog.pg_class c
         cross join lateral (
               select case when c.relnamespace = 'pg_catalog'::regnamespace
                            and c.relname in ('pg_stats', 'pg_stats_ext', 'pg_stats_ext_exprs')
                           then array['security_barrier=true'] end) initial (options)
         where c.oid < 16384 and c.relkind = 'v'
           and c.reloptions is distinct from initial.options
        union all
        select format('%s %s', named.type, named.identity),
               format('is PostgreSQL''s own, and calls %s', it.called::regprocedure),
               format('-- make it again as initdb does: %s %s', named.type, named.identity)
          from (select 'pg_operator'::regclass::oid, oid,
                       unnest(array[oprcode::oid, oprrest, oprjoin])
                  from pg_catalog.pg_operator
                 union all
                select 'pg_cast'::regclass, oid, castfunc from pg_catalog.pg_cast
                 union all
                select 'pg_type'::regclass, oid, unnest(array[typinput::oid, typoutput, typreceive,
                                                              typsend, typanalyze, typsubscript])
                  from pg_catalog.pg_type
                 union all
                select 'pg_amproc'::regclass, oid, amproc::oid from pg_catalog.pg_amproc
                 union all
                select 'pg_proc'::regclass, aggfnoid, unnest(array[aggtransfn::oid, aggfinalfn])
                  from pg_catalog.pg_aggregate) it (class, object, called)
         cross join lateral pg_identify_object(it.class, it.object, 0) named
         where it.object < 16384 and it.called >= 16384
        union all
        select format('%s %s', named.type, named.identity),
               format('is PostgreSQL''s own, and depends on %s %s, which is not',
                      needed.type, needed.identity),
               format('-- make it again as initdb does: %s %s', named.type, named.identity)
          from pg_catalog.pg_depend d
         cross join lateral pg_identify_object(d.classid, d.objid, d.objsubid) named
         cross join lateral pg_identify_object(d.refclassid, d.refobjid, d.refobjsubid) needed
         where d.objid < 16384 and d.refobjid >= 16384
           and d.classid not in ('pg_largeobject'::regclass, 'pg_rewrite'::regclass)
        union all
        select format('%s %s', named.type, named.identity),
               'stands among PostgreSQL''s own',
               format('-- move it to another schema: %s %s', named.type, named.identity)
          from (select 'pg_proc'::regclass::oid, oid, pronamespace from pg_catalog.pg_proc
                 union all
                select 'pg_operator'::regclass, oid, oprnamespace from pg_catalog.pg_operator
                 union all
                select 'pg_class'::regclass, oid, relnamespace from pg_catalog.pg_class
                 where relkind in ('r', 'p', 'v', 'm', 'f', 'S')) made (class, oid, schema)
         cross join lateral pg_identify_object(made.class, made.oid, 0) named
         where made.oid >= 16384
           and made.schema in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
           and not exists (select from pg_catalog.pg_depend e
                            where e.classid = made.class and e.objid = made.oid
                              and e.deptype = 'e' and e.refobjid >= 16384)
       ) it (object, detail, mend);
