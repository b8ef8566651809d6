-- A shop whose orders are their customer's alone. Nothing is to be found.
-- role shop_web, setting shop.customer, owner column customer_id
-- finds:
create role shop_web login noinherit;
do $$ begin
    execute format('revoke temporary on database %I from public', current_database());
end $$;
create schema shop;
revoke all on schema public from public;
create table shop.orders (
    customer_id integer not null,
    number      integer not null,
    note        text,
    primary key (customer_id, number)
);
create table shop.parcel (
    customer_id integer not null,
    number      integer not null,
    sent_on     date,
    primary key (customer_id, number),
    foreign key (customer_id, number) references shop.orders (customer_id, number)
);
insert into shop.orders values (1, 1, 'crimson'), (1, 2, 'blue'), (2, 1, 'emerald'), (3, 1, null);
insert into shop.parcel values (1, 1, '2026-01-01'), (2, 1, null);

grant usage on schema shop to shop_web;
do $$
declare
    it text;
begin
    foreach it in array array['orders', 'parcel'] loop
        execute format('alter table shop.%I enable row level security', it);
        execute format('alter table shop.%I force row level security', it);
        execute format('grant select, delete on shop.%I to shop_web', it);
        execute format('create policy %I on shop.%I for select to shop_web using (customer_id = '
            '(select nullif(current_setting(''shop.customer'', true), '''')::integer))', it || '_read', it);
        execute format('create policy %I on shop.%I for delete to shop_web using (customer_id = '
            '(select nullif(current_setting(''shop.customer'', true), '''')::integer))', it || '_delete', it);
        execute format('create policy %I on shop.%I for insert to shop_web with check (customer_id = '
            '(select nullif(current_setting(''shop.customer'', true), '''')::integer))', it || '_insert', it);
        execute format('create policy %I on shop.%I for update to shop_web using (customer_id = '
            '(select nullif(current_setting(''shop.customer'', true), '''')::integer)) with check (customer_id = '
            '(select nullif(current_setting(''shop.customer'', true), '''')::integer))', it || '_update', it);
    end loop;
end $$;
grant insert (customer_id, number, note), update (note) on shop.orders to shop_web;
grant insert (customer_id, number, sent_on), update (sent_on) on shop.parcel to shop_web;
