package dev.countersign.server.decision;

import dev.countersign.rules.dialect.Effect;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.facts.Glob;
import dev.countersign.rules.facts.Sha256;
import dev.countersign.rules.pack.ApprovalTemplate;
import dev.countersign.rules.pack.ApprovalTemplate.Stage;
import dev.countersign.rules.pack.Pack;
import dev.countersign.rules.verdict.Fallback;
import dev.countersign.rules.verdict.Finding;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The approval templates in force for a tenant: those of its packs, raised but never lowered by what it sets. Immutable. */
final class ApprovalRules {
    /** What asks for the template {@code default} gets this one where no pack has one of that name. */
    private static final ApprovalTemplate USUAL = new ApprovalTemplate(
            Fallback.TEMPLATE,
            List.of(new Stage("review", 1, List.of("approvals.approve"))),
            Duration.ofHours(4),
            Duration.ofMinutes(15));

    private final Map<String, Map<String, ApprovalTemplate>> byPack;
    private final Map<String, List<ApprovalTemplate>> byName;
    private final int leastReviews;
    private final List<Timeout> timeouts;

    /** How long the reviewers of some actions have. */
    private record Timeout(Glob actions, Duration within) {}

    private ApprovalRules(Collection<Pack> packs, int leastReviews, List<Timeout> timeouts) {
        byPack = new LinkedHashMap<>();
        byName = new LinkedHashMap<>();
        this.leastReviews = leastReviews;
        this.timeouts = timeouts;
        for (Pack pack : packs) {
            byPack.put(pack.name(), pack.templates());
            pack.templates().forEach((name, template) -> {
                List<ApprovalTemplate> all = byName.computeIfAbsent(name, first -> new ArrayList<>());
                if (!all.contains(template)) {
                    all.add(template);
                }
            });
        }
    }

    static ApprovalRules of(RuleBase base, Map<String, String> env, Map<String, Object> settings) {
        double least =
                (Double) ServerSettings.LEAST_REVIEWS.inForce(env, settings).value();
        List<Timeout> timeouts = ServerSettings.timeouts(env, settings).entrySet().stream()
                .map(entry -> new Timeout(new Glob(entry.getKey()), entry.getValue()))
                .toList();
        return new ApprovalRules(base.packs(), (int) least, timeouts);
    }

    /** The template that a finding asks for; {@code null} if it is not known which that is. */
    private @Nullable ApprovalTemplate template(Finding finding) {
        if (!(finding.effect() instanceof Effect.RequireApproval asked)) {
            return null;
        }
        Map<String, ApprovalTemplate> own = byPack.get(finding.rule().pack());
        if (own != null) {
            return own.get(asked.template());
        }
        // Rows, and the server itself, belong to no pack: they name what all packs that have it mean by it.
        List<ApprovalTemplate> all = byName.getOrDefault(asked.template(), List.of());
        if (all.isEmpty()) {
            return asked.template().equals(USUAL.name()) ? USUAL : null;
        }
        return all.size() == 1 ? all.get(0) : null;
    }

    /** What a finding asks for; {@code null} if its template is not known. */
    @Nullable
    Asked asked(Finding finding) {
        ApprovalTemplate template = template(finding);
        return template == null
                ? null
                : new Asked(
                        finding.rule().pack(),
                        finding.rule().name(),
                        finding.code(),
                        template.name(),
                        Sha256.hex(text(raised(template)) + " " + template.useWithin()
                                + (template.breakGlass() ? " break_glass" : "")));
    }

    /** What stays the same as long as what the stages ask for does: approvals are bound to its digest. */
    private static String text(List<Stage> stages) {
        return stages.stream()
                .map(stage -> "Stage[name=" + stage.name() + ", quorum=" + stage.quorum() + ", roles=" + stage.roles()
                        + (stage.escalate() == null ? "" : ", escalate=" + stage.escalate()) + "]")
                .collect(Collectors.joining(", ", "[", "]"));
    }

    private List<Stage> raised(ApprovalTemplate template) {
        return template.stages().stream()
                .map(stage -> stage.with(Math.max(stage.quorum(), leastReviews)))
                .toList();
    }

    /** What it takes to approve all of these findings of an action; {@code null} if that is not known. */
    @Nullable
    Terms terms(String action, List<Finding> findings) {
        var asked = new ArrayList<Asked>();
        var templates = new LinkedHashSet<ApprovalTemplate>();
        for (Finding finding : findings) {
            Asked one = asked(finding);
            if (one == null) {
                return null;
            }
            asked.add(one);
            templates.add(Objects.requireNonNull(template(finding)));
        }
        if (asked.isEmpty()) {
            return null;
        }
        var stages = new ArrayList<Stage>();
        templates.forEach(template -> stages.addAll(raised(template)));
        // A template of its own says itself how long it takes.
        boolean usual = templates.stream().anyMatch(template -> template.name().equals(Fallback.TEMPLATE));
        return new Terms(
                List.copyOf(asked),
                List.copyOf(stages),
                shortest(
                        templates.stream().map(ApprovalTemplate::decideWithin).toList(),
                        usual ? timeout(action) : null),
                shortest(templates.stream().map(ApprovalTemplate::useWithin).toList(), null),
                templates.stream().allMatch(ApprovalTemplate::breakGlass));
    }

    private @Nullable Duration timeout(String action) {
        for (Timeout timeout : timeouts) {
            if (timeout.actions().matches(action)) {
                return timeout.within();
            }
        }
        return null;
    }

    private static Duration shortest(List<Duration> all, @Nullable Duration other) {
        Duration shortest = other == null ? all.get(0) : other;
        for (Duration each : all) {
            shortest = each.compareTo(shortest) < 0 ? each : shortest;
        }
        return shortest;
    }
}
