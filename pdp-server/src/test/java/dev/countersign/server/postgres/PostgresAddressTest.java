package dev.countersign.server.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vertx.pgclient.SslMode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PostgresAddressTest {

    @Test
    void readsEveryPartOfAUrl() {
        assertThat(PostgresAddress.parse("postgres://ann:pw@db.example.com:6432/guard?sslmode=verify-full"))
                .isEqualTo(new PostgresAddress("db.example.com", 6432, "guard", "ann", "pw", SslMode.VERIFY_FULL));
    }

    @Test
    void hasDefaultsForPortPasswordAndEncryption() {
        assertThat(PostgresAddress.parse("postgresql://ann@db/guard"))
                .isEqualTo(new PostgresAddress("db", 5432, "guard", "ann", "", SslMode.PREFER));
    }

    @Test
    void decodesPercentAndLeavesPlusAlone() {
        PostgresAddress address = PostgresAddress.parse("postgres://a%40b:p%2Fw%3a+%25%C3%A9@my_db:5432/g%20d");

        assertThat(address.user()).isEqualTo("a@b");
        assertThat(address.password()).isEqualTo("p/w:+%é");
        assertThat(address.host()).isEqualTo("my_db");
        assertThat(address.database()).isEqualTo("g d");
    }

    @Test
    void writesAJdbcUrlWithoutUserAndPassword() {
        assertThat(PostgresAddress.parse("postgres://ann:pw@[::1]:5433/g%20d?sslmode=require")
                        .jdbcUrl())
                .isEqualTo("jdbc:postgresql://[::1]:5433/g%20d?sslmode=require");
    }

    @Test
    void hidesThePasswordWhenPrinted() {
        assertThat(PostgresAddress.parse("postgres://ann:hunter2@db/guard"))
                .hasToString("ann@db:5432/guard (sslmode prefer)");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "hunter2",
                "mysql://ann:hunter2@db/guard",
                "postgres://ann:hunter2@db",
                "postgres://ann:hunter2@db/",
                "postgres://:hunter2@db/guard",
                "postgres://ann:hunter2@/guard",
                "postgres://ann:hunter2@db:0/guard",
                "postgres://ann:hunter2@db:65536/guard",
                "postgres://ann:hunter2@db:port/guard",
                "postgres://ann:hunter2@db1,db2/guard",
                "postgres://ann:hunter2%@db/guard",
                "postgres://ann:hunter2%zz@db/guard",
                "postgres://ann:x/hunter2@db/guard",
                "postgres://ann:x@hunter2@db/guard",
                "postgres://ann:5/x?hunter2@db/guard",
                "postgres://ann:hunter2@db/guard?sslmode=perhaps",
                "postgres://ann:hunter2@db/guard?sslmode=require&options=x",
                "postgres://ann:hunter2@db/guard#x",
                "postgres://ann:hunter2@db/guard/x"
            })
    void refusesWhatIsNoSuchUrlWithoutRepeatingIt(String url) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> PostgresAddress.parse(url))
                .withMessageContaining("DATABASE_URL")
                .withMessageNotContaining("hunter2")
                .withNoCause();
    }

    @Test
    void tellsWhereItCannotRunToSetDatabaseUrl() {
        assertThatThrownBy(() -> Platform.of("Mac OS X", "aarch64")).hasMessageContaining("set DATABASE_URL");
        assertThatThrownBy(() -> Platform.of("Linux", "riscv64")).hasMessageContaining("set DATABASE_URL");
        assertThat(Platform.of("Linux", "amd64").archive()).contains("x86_64");
        assertThat(Platform.of("Linux", "aarch64").archive()).contains("arm_64");
    }
}
