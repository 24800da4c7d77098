/**
 * SQL that makes the function `uuid_v7(shift)`: a UUIDv7 (RFC 9562) of the present moment plus `shift`, with
 * microseconds in the bits after the milliseconds, as `uuidv7` of Postgres 18. Older servers have no such function.
 */
export const createUuidV7 = `
  CREATE OR REPLACE FUNCTION uuid_v7(shift interval DEFAULT '0') RETURNS uuid LANGUAGE plpgsql VOLATILE AS $$
  DECLARE
    micros bigint := floor(extract(epoch FROM clock_timestamp() + shift) * 1000000);
    fraction integer := micros % 1000 * 4096 / 1000;
    bytes bytea := uuid_send(gen_random_uuid());
  BEGIN
    bytes := overlay(bytes PLACING substring(int8send(micros / 1000) FROM 3) FROM 1 FOR 6);
    -- Version 7 in the upper half of the seventh byte; the variant is that of gen_random_uuid.
    bytes := set_byte(set_byte(bytes, 6, 112 + fraction / 256), 7, fraction % 256);
    RETURN encode(bytes, 'hex')::uuid;
  END $$;
`;
