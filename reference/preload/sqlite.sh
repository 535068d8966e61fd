# needs: sqlite3 -version -- install sqlite3
# proof: sqlite3 -version -- sqlite3
# A database is made, indexed, asked, thinned out and packed.
sqlite3 test.db <<'SQL'
create table item (id integer primary key, name text, weight real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 200000)
insert into item select i, 'item ' || (i * 7919 % 200003), i % 1000 / 10.0 from n;
create index by_name on item (name);
select count(*), round(sum(weight), 1), min(name), max(name) from item;
select substr(name, 6, 2) as beginning, count(*), round(avg(weight), 3) from item group by beginning order by beginning limit 20;
select a.id, b.id from item a join item b on a.name = 'item ' || b.id where a.id < 50 order by a.id;
delete from item where id % 3 = 0;
vacuum;
pragma integrity_check;
select count(*), group_concat(id) from (select id from item where name like '%99%' order by name desc limit 300);
SQL
cksum <test.db
