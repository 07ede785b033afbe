INSERT INTO dewar_user_roles (user_id, role) SELECT id, 'member' FROM dewar_users ON CONFLICT DO NOTHING;
