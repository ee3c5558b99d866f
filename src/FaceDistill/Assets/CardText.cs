namespace FaceDistill.Assets;

/// <summary>A card as text.</summary>
/// <param name="Kind">"teachers", "detectors" or "datasets".</param>
/// <param name="Text">The JSON.</param>
/// <param name="Origin">Where it is from, for messages: "card teachers/NAME.json" or the user's path.</param>
/// <param name="Folder">The folder of a user's own card; null for one that FaceDistill ships.</param>
public sealed record CardText(string Kind, string Text, string Origin, string? Folder);
