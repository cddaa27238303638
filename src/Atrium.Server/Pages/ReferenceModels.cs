namespace Atrium.Server.Pages;

/// <summary>The reference of an API, made of its OpenAPI document for people to read.</summary>
/// <param name="Summary">What a reader must know before the first call, in paragraphs.</param>
/// <param name="Document">The path of the document that it was made of.</param>
/// <param name="Other">The reference beside this one.</param>
/// <param name="Groups">The operations by resource.</param>
/// <param name="Schemas">What the operations answer.</param>
public sealed record ReferenceModel(
    string Title, string Summary, string Document, PageLink Other, IReadOnlyList<ReferenceGroup> Groups, IReadOnlyList<ReferenceSchema> Schemas);

/// <summary>The operations of one resource.</summary>
public sealed record ReferenceGroup(string Name, string Anchor, string? Summary, IReadOnlyList<ReferenceOperation> Operations);

/// <summary>One operation.</summary>
/// <param name="Anchor">Its <c>operationId</c>, by which it is linked to.</param>
/// <param name="Scope">The scope that the key must have; null where a key has none.</param>
/// <param name="Parameters">What stands in the path, the query and the headers.</param>
/// <param name="Bodies">What may be sent; several where one field decides about the others, none without a body.</param>
/// <param name="Answers">What comes back, the success first.</param>
/// <param name="Command">A call to paste.</param>
public sealed record ReferenceOperation(
    string Anchor, string Method, string Path, string Summary, string? Description, string? Scope, IReadOnlyList<ReferenceField> Parameters,
    IReadOnlyList<ReferenceSchema> Bodies, IReadOnlyList<ReferenceAnswer> Answers, string Command);

/// <summary>A field of a body or an answer, or a parameter.</summary>
/// <param name="Type">In words: <c>string</c>, <c>array of string</c>, or the name of a schema.</param>
/// <param name="Link">The anchor of that schema.</param>
/// <param name="Rules">What else holds, in a few words each: <c>1 to 200 characters</c>.</param>
/// <param name="Fields">What is inside.</param>
public sealed record ReferenceField(
    string Name, string Type, string? Link, bool Required, string? Description, IReadOnlyList<string> Rules, IReadOnlyList<ReferenceField> Fields);

/// <summary>An answer by its status.</summary>
/// <param name="Link">The anchor of the schema that it carries; null without a body.</param>
public sealed record ReferenceAnswer(string Status, string Description, string? Type, string? Link);

/// <summary>An object with a name.</summary>
public sealed record ReferenceSchema(string Name, string Anchor, string? Description, IReadOnlyList<ReferenceField> Fields);
