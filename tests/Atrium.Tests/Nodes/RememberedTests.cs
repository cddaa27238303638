using Atrium.Server.Hosting;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Nodes;

/// <summary>What a node keeps in memory.</summary>
public sealed class RememberedTests
{
    private readonly FakeClock clock = new();
    private int looks;

    [Fact]
    public async Task What_was_found_is_not_looked_up_again_until_it_is_too_old()
    {
        Remembered<string, string> remembered = Remember(_ => "value");
        (await remembered.GetAsync("name", default)).ShouldBe("value");
        clock.Advance(TimeSpan.FromSeconds(2) - TimeSpan.FromTicks(1));
        await remembered.GetAsync("name", default);
        looks.ShouldBe(1);
        clock.Advance(TimeSpan.FromTicks(1));
        await remembered.GetAsync("name", default);
        looks.ShouldBe(2);
    }

    [Fact]
    public async Task What_was_not_found_is_looked_up_each_time()
    {
        string? value = null;
        Remembered<string, string> remembered = Remember(_ => value);
        (await remembered.GetAsync("name", default)).ShouldBeNull();
        value = "here now";
        (await remembered.GetAsync("name", default)).ShouldBe("here now");
    }

    [Fact]
    public async Task What_is_told_to_have_changed_is_forgotten_by_its_name()
    {
        Remembered<string, string> remembered = Remember(static name => name);
        await remembered.GetAsync("one", default);
        await remembered.GetAsync("two", default);
        remembered.Forget("one");
        await remembered.GetAsync("two", default);
        looks.ShouldBe(2);
        await remembered.GetAsync("one", default);
        looks.ShouldBe(3);
        remembered.ForgetAll();
        await remembered.GetAsync("two", default);
        looks.ShouldBe(4);
    }

    [Fact]
    public async Task What_changes_while_it_is_looked_up_is_not_remembered()
    {
        TaskCompletionSource<string?> found = new();
        Remembered<string, string> remembered = new(new ChangeFeed(), clock, (_, _) => found.Task);
        ValueTask<string?> look = remembered.GetAsync("name", default);
        remembered.Forget("name");
        found.SetResult("as it was before");
        (await look).ShouldBe("as it was before");
        found = new();
        found.SetResult("as it is");
        (await remembered.GetAsync("name", default)).ShouldBe("as it is");
    }

    private Remembered<string, string> Remember(Func<string, string?> find) => new(
        new ChangeFeed(),
        clock,
        (name, _) =>
        {
            looks++;
            return Task.FromResult(find(name));
        });
}
