-- an operator
-- turns red: role_owns_object
create operator @@@@ (function = texteq, leftarg = text, rightarg = text);
alter operator @@@@ (text, text) owner to task_app;
