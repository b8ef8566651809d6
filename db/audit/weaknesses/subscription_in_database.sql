-- rows come from elsewhere
-- turns red: subscription_in_database
create subscription elsewhere connection 'dbname=elsewhere' publication p
    with (connect = false, slot_name = none, enabled = false);
