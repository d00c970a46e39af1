package dev.countersign.rules.pack;

import dev.countersign.rules.dialect.Rule;
import dev.countersign.rules.entities.PackEntities;
import dev.countersign.rules.facts.Vocabulary;
import java.util.List;
import java.util.Map;

/**
 * A rule pack that passed the gate.
 *
 * @param name its name: lower-case letters, digits and dashes
 * @param version the author's version
 * @param description what it is for
 * @param digest SHA-256, in hex, over its manifest, rule and entity files
 * @param vocabulary the names that its rules may use
 * @param templates its approval templates by name
 * @param rules its rules, by file and place
 * @param bar the coverage that its scenarios must reach
 * @param entities the entities that it carries
 */
public record Pack(
        String name,
        String version,
        String description,
        String digest,
        Vocabulary vocabulary,
        Map<String, ApprovalTemplate> templates,
        List<Rule> rules,
        Bar bar,
        PackEntities entities) {
    /**
     * The coverage, in percent, below which a pack's tests fail.
     *
     * @param rules rules that matched in some case
     * @param conditions tests that were seen both true and false
     * @param needed denying and approval rules without which some case would fail
     * @param mutants changed conditions that some case would notice
     */
    public record Bar(int rules, int conditions, int needed, int mutants) {}
}
