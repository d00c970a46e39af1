package dev.countersign.server.identity;

import java.time.Instant;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Who is calling this server, as the key proves it.
 *
 * @param keyId the key's visible prefix
 * @param name the key's name
 * @param tenant the tenant it acts in; {@code null} for the operator
 * @param roles what it may do
 * @param person the person whose key it is; {@code null} for a service
 * @param until from when on the key is not good; {@code null} for never
 */
public record Caller(
        String keyId,
        String name,
        @Nullable String tenant,
        Set<Role> roles,
        @Nullable UUID person,
        @Nullable Instant until) {
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
     * Who it is, whatever key is used: the person, or for services all keys of one name. What one key of it asked for, another
     * may go on with.
     */
    public String principal() {
        return person == null ? "service:" + name : "person:" + person;
    }

    /** The kind of subject that the caller itself is: a person is a user, everything else an agent. */
    public String subjectType() {
        return person == null ? "agent" : "user";
    }
}
