/**
 * A condition that is always true, and makes the statement's own transaction commit without waiting for the disk: for
 * what is harmless to lose in a crash of Postgres, as long as nothing later depends on it that is not lost as well.
 */
export const withoutDurableCommit = "(SELECT set_config('synchronous_commit', 'off', true)) = 'off'";
