using Atrium.Core.Events;
using Atrium.Core.Webhooks;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Webhooks;

/// <summary>Which events an endpoint wants.</summary>
public sealed class EventPatternsTests
{
    [Theory]
    [InlineData("*", "user.created", true)]
    [InlineData("user.created", "user.created", true)]
    [InlineData("user.created", "user.created2", false)]
    [InlineData("user.*", "user.created", true)]
    [InlineData("user.*", "user.factor.created", true)]
    [InlineData("organization.*", "organization.membership.created", true)]
    [InlineData("organization.membership.*", "organization.updated", false)]
    [InlineData("organization.*", "organization_membership.created", false)]
    [InlineData("user*", "user.created", false)]
    [InlineData("*.created", "user.created", false)]
    [InlineData("user", "user.created", false)]
    [InlineData("", "user.created", false)]
    public void A_pattern_is_a_name_or_the_beginning_of_names(string pattern, string name, bool matches) =>
        EventPatterns.Match([pattern], name).ShouldBe(matches);

    [Theory]
    [InlineData("*", true, true)]
    [InlineData("organization.membership.created", true, false)]
    [InlineData("organization_membership.created", false, true)]
    [InlineData("organization.*", true, true)]
    [InlineData("organization_domain.*", false, true)]
    [InlineData("api_key.*", true, false)]
    [InlineData("user.creatd", false, false)]
    [InlineData("usr.*", false, false)]
    [InlineData(".*", false, false)]
    public void What_no_event_of_the_dialect_can_match_is_a_typing_error(string pattern, bool inTheHouse, bool inAuthKit)
    {
        EventPatterns.IsKnown(pattern, WebhookDialect.Standard).ShouldBe(inTheHouse);
        EventPatterns.IsKnown(pattern, WebhookDialect.Cloudevents).ShouldBe(inTheHouse);
        EventPatterns.IsKnown(pattern, WebhookDialect.Authkit).ShouldBe(inAuthKit);
    }

    [Fact]
    public void WorkOS_has_no_word_for_the_choice_of_an_organization() =>
        EventPatterns.NameOf(WebhookDialect.Authkit, EventTypes.SignInOrganizationChosen).ShouldBeNull();
}
