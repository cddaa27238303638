using Atrium.Core.Realms;
using Atrium.Core.Users;
using FsCheck.Fluent;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Engine;

/// <summary>Handles and addresses: what names things from outside.</summary>
public sealed class NameTests
{
    [Theory]
    [InlineData("a", true)]
    [InlineData("acme-2", true)]
    [InlineData("0", true)]
    [InlineData("", false)]
    [InlineData(null, false)]
    [InlineData("-a", false)]
    [InlineData("a-", false)]
    [InlineData("-", false)]
    [InlineData("Acme", false)]
    [InlineData("a_b", false)]
    [InlineData("a.b", false)]
    [InlineData("a/b", false)]
    [InlineData("a b", false)]
    [InlineData("é", false)]
    [InlineData("٣", false)]
    [InlineData("a\n", false)]
    public void A_handle_is_a_DNS_label(string? handle, bool valid) => Handles.IsValid(handle).ShouldBe(valid);

    [Fact]
    public void A_handle_has_63_characters_at_most()
    {
        Handles.IsValid(new string('a', 63)).ShouldBeTrue();
        Handles.IsValid(new string('a', 64)).ShouldBeFalse();
    }

    [Fact]
    public void A_handle_made_from_any_name_is_valid_or_empty_and_stays_as_it_is() => Worlds.ForAll(
        Gen.Elements("aZ0 -_.é漢\u0130\t\ud83d\ude00".ToCharArray()).ListOf().Select(static chars => string.Concat(chars.Concat(chars).Concat(chars))),
        static name =>
        {
            string handle = Handles.FromName(name);
            return handle.Length == 0 || (Handles.IsValid(handle) && Handles.FromName(handle) == handle);
        });

    [Theory]
    [InlineData("Northwind Traders, Inc.", "northwind-traders-inc")]
    [InlineData("  ", "")]
    [InlineData("漢字", "")]
    public void A_name_gives_the_handle_that_one_expects(string name, string handle) => Handles.FromName(name).ShouldBe(handle);

    [Theory]
    [InlineData("mia@example.test", true)]
    [InlineData("a@b", true)]
    [InlineData("mia+tag@example.test", true)]
    [InlineData("jürgen@müller.test", true)]
    [InlineData("", false)]
    [InlineData(null, false)]
    [InlineData("mia", false)]
    [InlineData("mia@", false)]
    [InlineData("@example.test", false)]
    [InlineData("mia@example.test ", false)]
    [InlineData(" mia@example.test", false)]
    [InlineData("mia @example.test", false)]
    [InlineData("mia@example.test\r\nBcc: x@y.test", false)]
    [InlineData("Mia <mia@example.test>", false)]
    [InlineData("<mia@example.test>", false)]
    [InlineData("mia@example.test,x@y.test", false)]
    [InlineData("mia@@example.test", false)]
    [InlineData("mia\0@example.test", false)]
    public void An_address_is_one_mailbox_and_nothing_around_it(string? address, bool valid) => EmailAddress.IsValid(address).ShouldBe(valid);

    [Fact]
    public void An_address_has_254_characters_at_most()
    {
        EmailAddress.IsValid(new string('a', 64) + "@" + new string('b', 185) + ".com").ShouldBeTrue();
        EmailAddress.IsValid(new string('a', 64) + "@" + new string('b', 186) + ".com").ShouldBeFalse();
    }

    [Theory]
    [InlineData("MIA@Example.TEST", "mia@example.test")]
    [InlineData("JÜRGEN@example.test", "jürgen@example.test")]
    [InlineData("ju\u0308rgen@example.test", "jürgen@example.test")]
    [InlineData(" mia@example.test ", "mia@example.test")]
    public void Two_spellings_of_one_address_are_equal(string one, string other) => EmailAddress.Normalize(one).ShouldBe(EmailAddress.Normalize(other));

    [Fact]
    public void Normalising_twice_changes_nothing() => Worlds.ForAll(
        Gen.Elements("aAüÜ\u0308\u0130ßẞ@. Σς\u1e9b\u0323ŐK".ToCharArray()).ListOf().Select(string.Concat),
        static text => EmailAddress.Normalize(EmailAddress.Normalize(text)) == EmailAddress.Normalize(text));

    [Theory]
    [InlineData("mia@Example.TEST", "example.test")]
    [InlineData("\"a@b\"@example.test", "example.test")]
    [InlineData("mia", null)]
    [InlineData("mia@", null)]
    public void The_domain_is_what_follows_the_last_at(string address, string? domain) => EmailAddress.DomainOf(address).ShouldBe(domain);
}
