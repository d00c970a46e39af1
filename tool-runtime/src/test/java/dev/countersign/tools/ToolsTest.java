package dev.countersign.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class ToolsTest {
    private static final JsonNode ARGUMENTS =
            JsonNodeFactory.instance.objectNode().put("q", "x");
    private static final Run RUN = new Run("e-1", HandTimer.START.plusSeconds(30), null, null);

    @Test
    void tools_are_found_by_name_and_listed_in_order() {
        StubTool search = StubTool.echo("search");
        Tools tools = new Tools(List.of(search, StubTool.echo("pay")));
        assertThat(tools.find("search")).containsSame(search);
        assertThat(tools.find("Search")).isEmpty();
        assertThat(tools.names()).containsExactly("pay", "search");
    }

    @Test
    void two_tools_of_one_name_are_refused() {
        assertThatThrownBy(() -> new Tools(List.of(StubTool.echo("pay"), StubTool.echo("pay"))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'pay'");
    }

    @Test
    void a_stub_answers_with_what_it_was_given() {
        JsonNode result = JsonNodeFactory.instance.numberNode(7);
        assertThat(call(StubTool.echo("stub"))).isCompletedWithValue(ARGUMENTS);
        assertThat(call(StubTool.fixed("stub", result))).isCompletedWithValue(result);
    }

    @Test
    void a_stub_fails_with_the_classes_it_was_told_to_and_then_answers() {
        List<ErrorClass> wanted = List.of(ErrorClass.values());
        StubTool stub = StubTool.echo("stub").failingFirst(wanted);
        for (ErrorClass next : wanted) {
            assertThat(ErrorClass.of(catchThrowable(() -> call(stub).join()))).isEqualTo(next);
        }
        assertThat(call(stub)).isCompletedWithValue(ARGUMENTS);
    }

    @Test
    void a_stub_can_stand_for_a_tool_that_must_not_be_called_twice() {
        assertThat(StubTool.echo("stub").idempotent()).isTrue();
        assertThat(StubTool.echo("stub").notIdempotent().failingFirst(List.of()).idempotent())
                .isFalse();
    }

    @Test
    void an_execution_id_that_no_header_can_carry_is_refused() {
        for (String id : List.of("", "a b", "a\r\nb", "x".repeat(201))) {
            assertThatThrownBy(() -> new Run(id, HandTimer.START, null, null))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    private static CompletableFuture<JsonNode> call(Tool tool) {
        return tool.call(ARGUMENTS, RUN).toCompletableFuture();
    }
}
