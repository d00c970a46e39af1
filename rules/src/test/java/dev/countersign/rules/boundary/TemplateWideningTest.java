package dev.countersign.rules.boundary;

import static dev.countersign.rules.boundary.Judges.ALLOW;
import static dev.countersign.rules.boundary.Judges.rule;
import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.pack.ApprovalTemplate;
import dev.countersign.rules.pack.ApprovalTemplate.Escalation;
import dev.countersign.rules.pack.ApprovalTemplate.Stage;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** Which changes of a template let more persons approve. */
class TemplateWideningTest {
    private static final Judge NEVER =
            Judges.of(ALLOW + rule("ask", "amount > 5", "decision.requireApproval(\"ASK\", \"default\");"));

    private static Judge with(UnaryOperator<ApprovalTemplate> change) {
        var templates = new HashMap<>(NEVER.templates());
        templates.computeIfPresent("test/default", (name, template) -> change.apply(template));
        return new Judge(NEVER.rules(), NEVER.values(), templates, NEVER.combine());
    }

    private static Judge escalating(int minutes, String... to) {
        var escalation = new Escalation(Duration.ofMinutes(minutes), List.of(to));
        return with(template -> new ApprovalTemplate(
                template.name(),
                template.stages().stream()
                        .map(stage -> new Stage(stage.name(), stage.quorum(), stage.roles(), escalation))
                        .toList(),
                template.decideWithin(),
                template.useWithin()));
    }

    private static boolean widens(Judge before, Judge after) {
        List<Change> changes =
                new BoundaryDiff(Judges.FRAME).compare(before, after).changes();
        assertThat(changes).hasSize(1);
        return changes.get(0).widens();
    }

    @Test
    void aTemplateThatEscalatesToMorePersonsOrSoonerWidens() {
        Judge late = escalating(40, "director");
        Judge soon = escalating(20, "director");
        Judge fewer = escalating(40, "director", "board");
        assertThat(widens(NEVER, late)).isTrue();
        assertThat(widens(late, soon)).isTrue();
        assertThat(widens(fewer, late)).isTrue();
        assertThat(widens(late, NEVER)).isFalse();
        assertThat(widens(soon, late)).isFalse();
        assertThat(widens(late, fewer)).isFalse();
    }

    @Test
    void aTemplateByWhichOnePersonMayApproveAloneWidens() {
        Judge alone = with(template -> new ApprovalTemplate(
                template.name(), template.stages(), template.decideWithin(), template.useWithin(), true));
        assertThat(widens(NEVER, alone)).isTrue();
        assertThat(widens(alone, NEVER)).isFalse();
    }
}
