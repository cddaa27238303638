namespace Atrium.Core.SignIns;

/// <summary>When a person is asked what an application may have, and what of it is new to them. Pure, as all of the engine.</summary>
public static class ConsentRules
{
    /// <summary>
    /// Whether the client is somebody else's, and the person has let it have nothing yet: without asking, it learns nothing of them, not even whether
    /// they are who it thinks, or where they belong.
    /// </summary>
    public static bool IsStranger(SignInFacts facts) => !facts.Client.Settings.FirstParty && facts.Consents.Count == 0;

    /// <summary>The consent by which the client may have this; null where the person has given none that reaches so far.</summary>
    public static Consent? CoveringOf(ConsentTerms asked, IReadOnlyList<Consent> given) => given.FirstOrDefault(consent =>
        consent.Terms.ReachAsFarAs(asked) && asked.Scopes.All(scope => consent.Terms.Scopes.Contains(scope, StringComparer.Ordinal)));

    /// <summary>
    /// Whether the person must be asked now: always where the client says so (OpenID Connect Core section 3.1.2.1, <c>prompt=consent</c>), and where an
    /// application of somebody else's would get more than it was given before. What the person has just allowed is asked no more.
    /// </summary>
    public static bool Asks(SignIn signIn, SignInFacts facts, ConsentTerms asked) =>
        signIn.Door == Door.OAuth
        && signIn.Allowed != asked
        && (signIn.Request.AsksConsent || (!facts.Client.Settings.FirstParty && CoveringOf(asked, facts.Consents) is null));

    /// <summary>
    /// What of it the person has not let the application have before; null for an application that was given nothing yet, of which all is new. Of what
    /// goes to a new place, the place is new; in a known one, the scopes that were not given there.
    /// </summary>
    public static ConsentNews? NewsIn(ConsentTerms asked, IReadOnlyList<Consent> given)
    {
        if (given.Count == 0)
            return null;
        bool organizations = !given.Any(consent => consent.Terms.SpeakOfAsMany(asked));
        bool resource = !given.Any(consent => consent.Terms.Resource == asked.Resource);
        Consent[] known = [.. given.Where(consent => organizations || resource || consent.Terms.ReachAsFarAs(asked))];
        return new([.. asked.Scopes.Where(scope => !known.Any(consent => consent.Terms.Scopes.Contains(scope, StringComparer.Ordinal)))], organizations, resource);
    }

    /// <summary>The consent as it becomes: a new one, or the one for the same organizations and resource with more scopes.</summary>
    public static GivenConsent Given(ConsentTerms allowed, IReadOnlyList<Consent> given) =>
        given.FirstOrDefault(consent => consent.Terms.AreForTheSameAs(allowed)) is { } before
            ? new(allowed with { Scopes = [.. before.Terms.Scopes.Union(allowed.Scopes, StringComparer.Ordinal)] }, before.Id)
            : new(allowed, Widens: null);
}

/// <summary>A consent to be stored.</summary>
/// <param name="Widens">The one that it takes the place of; null for a new one.</param>
public sealed record GivenConsent(ConsentTerms Terms, Id<Consent>? Widens);

/// <summary>What an application asks for beyond what it was given.</summary>
/// <param name="Organizations">Whether it asks for organizations that it was given nothing for.</param>
/// <param name="Resource">Whether it asks for a resource that it was given nothing at.</param>
public sealed record ConsentNews(IReadOnlyList<string> Scopes, bool Organizations, bool Resource);
