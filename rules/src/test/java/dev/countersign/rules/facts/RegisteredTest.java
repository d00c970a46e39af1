package dev.countersign.rules.facts;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Rules read what the registry says of an action, by whatever name and path they ask. */
class RegisteredTest {
    private static final Registered EGRESS = new Registered(1, "egress", false, "high", List.of());

    private static Call call(String resourceType) throws BadCall {
        return Call.of(StrictJson.read("""
                {"subject": {"type": "agent", "id": "a"},
                 "action": {"name": "send", "properties": {"class": "claimed", "reversible": true, "other": "sent"}},
                 "resource": {"type": "%s", "id": "r", "properties": {"class": "argument", "reversible": true}}}""".formatted(resourceType).getBytes(StandardCharsets.UTF_8)));
    }

    private static Object read(String path, Type type, Call call) {
        SourcePath source = Objects.requireNonNull(SourcePath.parse(path));
        return new Attribute("x", type, source, null, Precedence.CALLER).read(call);
    }

    @ParameterizedTest
    @CsvSource({
        "action.properties.class,  record, claimed, egress",
        "action.properties.class,  tool,   claimed, egress",
        "arguments.class,          record, claimed, egress",
        "arguments.class,          tool,   argument, argument",
        "action.properties.other,  record, sent,    sent",
        "resource.properties.class, record, argument, argument"
    })
    void aTextIsWhatTheRegistrySaysWhereItHasASay(String path, String resourceType, String before, String after)
            throws BadCall {
        assertThat(read(path, Type.TEXT, call(resourceType))).isEqualTo(before);
        assertThat(read(path, Type.TEXT, call(resourceType).with(EGRESS))).isEqualTo(after);
    }

    @ParameterizedTest
    @CsvSource({
        "action.properties.reversible, record, false",
        "arguments.reversible,         record, false",
        "arguments.reversible,         tool,   true"
    })
    void whetherItIsReversibleIsWhatTheRegistrySays(String path, String resourceType, boolean after) throws BadCall {
        assertThat(read(path, Type.BOOL, call(resourceType))).isEqualTo(true);
        assertThat(read(path, Type.BOOL, call(resourceType).with(EGRESS))).isEqualTo(after);
    }
}
