package dev.countersign.rules.pack;

import dev.countersign.rules.facts.EntityKey;
import dev.countersign.rules.pack.ApprovalTemplate.Escalation;
import dev.countersign.rules.pack.ApprovalTemplate.Stage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiConsumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads {@code approvals:} of a manifest. */
final class TemplatesReader {
    private static final Pattern DURATION = Pattern.compile("([1-9][0-9]{0,6})(s|m|h|d)");

    private final BiConsumer<String, String> errors;

    /** @param errors takes a member's name and what is wrong with it */
    TemplatesReader(BiConsumer<String, String> errors) {
        this.errors = errors;
    }

    /** The templates without a mistake, by name. */
    Map<String, ApprovalTemplate> read(Map<String, Manifest.Approval> declared) {
        var out = new LinkedHashMap<String, ApprovalTemplate>();
        declared.forEach((name, approval) -> {
            Duration decide = approval == null ? null : duration(name, "decide_within", approval.decideWithin());
            Duration use = approval == null ? null : duration(name, "use_within", approval.useWithin());
            var stages = new ArrayList<Stage>();
            if (approval != null && approval.stages() != null) {
                for (Manifest.Stage given : approval.stages()) {
                    Stage stage = stage(name, stages.size() + 1, given, decide);
                    if (stage != null) {
                        stages.add(stage);
                    }
                }
            }
            if (stages.isEmpty()) {
                errors.accept(name, "the approval template `" + name + "` needs at least one stage");
            } else if (approval != null && decide != null && use != null) {
                boolean alone = Boolean.TRUE.equals(approval.breakGlass());
                out.put(name, new ApprovalTemplate(name, List.copyOf(stages), decide, use, alone));
            }
        });
        return out;
    }

    private @Nullable Stage stage(
            String template, int number, Manifest.@Nullable Stage given, @Nullable Duration decide) {
        int quorum = given == null || given.quorum() == null ? 1 : given.quorum();
        List<String> roles = given == null || given.roles() == null ? List.of() : given.roles();
        if (given == null || quorum < 1 || quorum > 20 || roles.isEmpty() || roles.contains(null)) {
            errors.accept(template, "a stage of `" + template + "` needs a quorum from 1 to 20 and `roles:`");
            return null;
        }
        String title = given.name() == null ? "stage " + number : given.name();
        Escalation escalate =
                given.escalate() == null ? null : escalation(template, title, roles, given.escalate(), decide);
        return new Stage(title, quorum, List.copyOf(roles), escalate);
    }

    private @Nullable Escalation escalation(
            String template, String stage, List<String> roles, Manifest.Escalation given, @Nullable Duration decide) {
        Duration after = duration(template, "escalate.after", given.after());
        String what = "`escalate` of the stage `" + stage + "` of `" + template + "`";
        List<String> to = given.to() == null ? List.of() : given.to();
        if (to.isEmpty()) {
            errors.accept(template, what + " needs `to:`, the roles of those who may approve as well then");
            return null;
        }
        for (String role : to) {
            if (role == null || !role.equals(role.strip()) || !EntityKey.valid(role)) {
                errors.accept(
                        template,
                        what + " names `" + Objects.requireNonNullElse(role, "")
                                + "`, which is no role: a role is a text of 1 to " + EntityKey.MAX_LENGTH
                                + " characters without blanks around it");
                return null;
            }
        }
        if (to.containsAll(roles)) {
            errors.accept(
                    template,
                    what + " adds nobody: whoever holds " + String.join(" and ", to)
                            + " may approve from the start, as the stage takes " + String.join(" and ", roles));
            return null;
        }
        if (after == null) {
            return null;
        }
        if (decide != null && after.compareTo(decide) >= 0) {
            errors.accept(
                    template,
                    what + " is never reached: it comes " + given.after()
                            + " after the request, which has expired by then (`decide_within`)");
            return null;
        }
        return new Escalation(after, List.copyOf(to));
    }

    private @Nullable Duration duration(String template, String member, @Nullable String written) {
        var match = DURATION.matcher(written == null ? "" : written);
        if (!match.matches()) {
            errors.accept(template, "`" + template + "." + member + "` is a time such as 15m, 1h or 2d");
            return null;
        }
        long amount = Long.parseLong(match.group(1));
        return switch (match.group(2)) {
            case "s" -> Duration.ofSeconds(amount);
            case "m" -> Duration.ofMinutes(amount);
            case "h" -> Duration.ofHours(amount);
            default -> Duration.ofDays(amount);
        };
    }
}
