namespace Atrium.Server.Pages;

/// <summary>Everything that the demo's first page shows.</summary>
/// <param name="Address">The public URL of this server.</param>
/// <param name="Password">The password of everybody.</param>
/// <param name="Links">Addresses worth opening: discovery, keys, health.</param>
public sealed record DemoModel(
    string Realm, string Address, string Password, IReadOnlyList<PageLink> Links, IReadOnlyList<DemoWalk> Walks,
    IReadOnlyList<DemoPerson> People, IReadOnlyList<DemoOrganization> Organizations,
    IReadOnlyList<DemoClient> Clients, IReadOnlyList<DemoKey> Keys);

/// <summary>A walk through one door.</summary>
/// <param name="Door">The door's name in a word or two, such as <c>AuthKit</c>.</param>
public sealed record DemoWalk(string Door, string Title, string Summary, IReadOnlyList<DemoStep> Steps);

/// <summary>One step of a walk: a sentence, then a command to paste or a link to open.</summary>
public sealed record DemoStep(string Text, string? Command = null, PageLink? Link = null);

/// <summary>One person of the demo realm.</summary>
/// <param name="Note">What is special: a second factor and its secret, or no membership at all.</param>
public sealed record DemoPerson(string Email, IReadOnlyList<DemoMembership> Memberships, string? Note = null);

/// <summary>A membership, in words: <c>Northwind</c>, <c>owner, billing:write</c>, <c>active</c>.</summary>
public sealed record DemoMembership(string Organization, string Scopes, string Status = "active");

public sealed record DemoOrganization(string Name, string Handle, string? Domain = null, string Status = "active");

/// <summary>A client of the demo realm.</summary>
/// <param name="Kind">Public or confidential, and by which door it comes.</param>
/// <param name="Secret">Its secret; null for a public client.</param>
public sealed record DemoClient(string Id, string Kind, string? Secret = null, string? Callback = null);

/// <summary>An API key and what it opens.</summary>
public sealed record DemoKey(string Value, string Opens);

/// <summary>The letters of the demo.</summary>
/// <param name="Folder">Where they are; null where they are sent instead.</param>
/// <param name="Open">The one that is looked at, if any.</param>
public sealed record DemoMailModel(string Realm, string? Folder, IReadOnlyList<DemoLetterLine> Letters, DemoLetter? Open = null);

/// <summary>A letter in the list.</summary>
public sealed record DemoLetterLine(string Href, string Subject, string To, DateTimeOffset? Date);

/// <summary>A letter that is looked at.</summary>
/// <param name="Frame">Where its HTML is.</param>
public sealed record DemoLetter(string From, string To, string Subject, DateTimeOffset? Date, string Text, string Frame);
