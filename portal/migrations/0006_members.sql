-- Until now whoever was signed in could do what a member does.
INSERT OR IGNORE INTO dewar_user_roles (user_id, role) SELECT id, 'member' FROM dewar_users;
