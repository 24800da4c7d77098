/**
 * A condition that is always true, and makes the statement's own transaction commit without waiting for the disk. For
 * writes that a crash of Postgres may lose, as long as everything that depends on them is lost as well.
 */
export const withoutDurableCommit = "(SELECT set_config('synchronous_commit', 'off', true)) = 'off'";
