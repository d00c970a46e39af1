package dev.countersign.server.identity;

import java.time.Instant;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Who is calling this server, as the key or the token proves it.
 *
 * @param keyId the key's visible prefix; of a token, what stands for its issuer and subject
 * @param name the key's name; of a token, the person's, or the subject if that is a service
 * @param tenant the tenant it acts in; {@code null} for the operator
 * @param roles what it may do
 * @param person the person whose key it is; {@code null} for a service
 * @param until from when on the key is not good; {@code null} for never
 * @param issuer the registration of the issuer of the token; {@code null} for a key
 */
public record Caller(
        String keyId,
        String name,
        @Nullable String tenant,
        Set<Role> roles,
        @Nullable UUID person,
        @Nullable Instant until,
        @Nullable UUID issuer) {
    private static final String SERVICE = "service:";
    private static final String PERSON = "person:";
    private static final String TOKEN = "token:";

    /** Whoever shows a key. */
    public Caller(
            String keyId,
            String name,
            @Nullable String tenant,
            Set<Role> roles,
            @Nullable UUID person,
            @Nullable Instant until) {
        this(keyId, name, tenant, roles, person, until, null);
    }

    /** Whether the key may do what one of these roles allows. */
    public boolean mayAny(Role... wanted) {
        for (Role role : wanted) {
            if (roles.contains(role)) {
                return true;
            }
        }
        return false;
    }

    /** The tenant, of a caller whose role belongs to one. */
    public String inTenant() {
        return Objects.requireNonNull(tenant, "only the operator's role belongs to no tenant");
    }

    /** Whose policies the caller manages: its tenant, or the operator, of which the empty text is the name. */
    public String plane() {
        return tenant == null ? "" : tenant;
    }

    /**
     * Who it is, whatever key is used: the person, or for services all keys of one name, or all tokens of one issuer and
     * subject. What one key of it asked for, another may go on with.
     */
    public String principal() {
        if (person != null) {
            return PERSON + person;
        }
        return issuer == null ? SERVICE + name : TOKEN + issuer + "#" + name;
    }

    /** Whoever was written down as {@code principal}, acting by this caller's key in one role. */
    public Caller actingFor(String principal, @Nullable UUID person, Role role) {
        String named = principal.substring(principal.indexOf(':') + 1);
        int end = principal.startsWith(TOKEN) ? named.indexOf('#') : -1;
        UUID by = end < 0 ? null : UUID.fromString(named.substring(0, end));
        return new Caller(keyId, named.substring(end + 1), tenant, Set.of(role), person, until, by);
    }

    /** The kind of subject that the caller itself is: a person is a user, everything else an agent. */
    public String subjectType() {
        return person == null ? "agent" : "user";
    }
}
