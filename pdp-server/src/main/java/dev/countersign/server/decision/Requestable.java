package dev.countersign.server.decision;

import dev.countersign.api.BoundCall;
import dev.countersign.api.NotCanonicalException;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.verdict.Verdict;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What lets a denied call be asked for (AuthZEN Access Request and Approval Profile, Requestable Denial Context).
 *
 * @param until when the denial can no more be asked for
 * @param hash the {@code binding_hash} of the call
 * @param members the members of the context that are in the hash
 * @param actors who acts for the subject, as claimed
 * @param template the approval templates
 */
public record Requestable(Moment until, String hash, List<String> members, List<String> actors, String template) {
    /** How long a denial can be asked for. */
    private static final Duration WINDOW = Duration.ofMinutes(15);

    /** Of a verdict that asks for approval; {@code null} if there is no way to give it. */
    static @Nullable Requestable of(TenantPolicy policy, Call call, Verdict verdict, Moment now) {
        Terms terms = policy.terms(call, verdict);
        // PostgreSQL keeps no NUL, so nobody could be shown what to approve.
        boolean shown = List.of(
                        call.subjectType(), call.subjectId(), call.actionName(), call.resourceType(), call.resourceId())
                .stream()
                .noneMatch(name -> name.indexOf('\0') >= 0);
        if (terms == null || !shown) {
            return null;
        }
        List<String> members = policy.boundContext(call.actionName());
        try {
            String hash = BoundCall.of(call.subject(), call.action(), call.resource(), call.context(), members)
                    .bindingHash();
            Moment until = Moment.of(now.instant().plus(WINDOW).toEpochMilli());
            return new Requestable(until, hash, members, Actors.of(call), terms.templates());
        } catch (NotCanonicalException e) {
            return null;
        }
    }
}
